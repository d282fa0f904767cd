"""docs/how-to-proxy.md with real proxies: nginx and Caddy publish a server with TLS and a path.

Without them the tests are skipped, which fails on CI.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.documents import ROOT, code_blocks
from tests.integration.command import Command, wait_until
from tests.integration.server import serving
from tests.servers.certificates import make_certificate
from tests.shell_blocks import Shell

DOCUMENT = ROOT / "docs" / "how-to-proxy.md"
START, CHECK = code_blocks(DOCUMENT, "sh")
PUBLISHED = "https://tools.example.org"
UPSTREAM = "127.0.0.1:8080"
PATH = "/transcribe"


def nginx_command(folder: Path, port: int, upstream: str) -> list[str]:
    (block,) = code_blocks(DOCUMENT, "nginx")
    block = block.replace(UPSTREAM, upstream).replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    block = block.replace("/etc/ssl/tools.crt", str(folder / "certificate.pem"))
    block = block.replace("/etc/ssl/tools.key", str(folder / "key.pem"))
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    around = f"daemon off;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{block}}}\n"
    (folder / "nginx.conf").write_text(around)
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]


def caddy_command(folder: Path, port: int, upstream: str) -> list[str]:
    """With a certificate of its own, because a public one cannot be obtained here."""
    (block,) = code_blocks(DOCUMENT, "caddy")
    site = f"https://localhost:{port} {{\n    tls {folder}/certificate.pem {folder}/key.pem"
    block = block.replace(UPSTREAM, upstream).replace("tools.example.org {", site)
    options = "{\n    admin off\n    auto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(options + block)
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@pytest.mark.parametrize("name", ["web.md", "deployment.md"])
def test_nginx_accepts_the_configurations_of_other_documents(name: str, tmp_path: Path) -> None:
    if shutil.which("nginx") is None:
        pytest.skip("no nginx here: apt-get install nginx")
    (block,) = code_blocks(ROOT / "docs" / name, "nginx")
    block = block if "server {" in block else f"server {{\nlisten 127.0.0.1:8443;\n{block}}}\n"
    make_certificate(tmp_path, "localhost")
    for told, here in [
        ("api-1", "127.0.0.1"),
        ("api-2", "127.0.0.2"),
        ("/etc/ssl/batchscribe.crt", f"{tmp_path}/certificate.pem"),
        ("/etc/ssl/batchscribe.key", f"{tmp_path}/key.pem"),
    ]:
        block = block.replace(told, here)
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{block}}}\n")
    line = ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(line: list[str], folder: Path, port: int) -> Iterator[None]:
    if shutil.which(line[0]) is None:
        pytest.skip(f"no {line[0]} here: apt-get install {line[0]}")
    environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder)}
    log = folder / "proxy.log"
    with log.open("w") as out, subprocess.Popen(line, env=environment, stdout=out, stderr=out) as process:
        try:
            wait_until(lambda: accepts(port) or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()


@pytest.mark.parametrize("command_for", [nginx_command, caddy_command])
def test_the_proxy_publishes_pages_and_interface_below_the_path(
    command_for: Callable[[Path, int, str], list[str]], tmp_path: Path
) -> None:
    variable, *words = START.split()
    root = dict([variable.split("=", 1)])
    assert (root["BATCHSCRIBE_ROOT_PATH"], words[:2]) == (PATH, ["batchscribe", "serve"])
    certificate, _ = make_certificate(tmp_path, "localhost")
    port = free_port()
    key = json.loads(Shell(tmp_path).run("batchscribe keys create --tenant acme --json"))
    with (
        serving(Command(tmp_path, {"BATCHSCRIBE_ENGINE": "scripted"} | root)) as server,
        running(command_for(tmp_path, port, urlsplit(server.url).netloc), tmp_path, port),
    ):
        published = f"https://localhost:{port}"
        check_pages(published, certificate, key["api_secret"])
        client = {
            "BATCHSCRIBE_API_SECRET": key["api_secret"],
            "SSL_CERT_FILE": str(certificate),
            "CURL_CA_BUNDLE": str(certificate),
        }
        Shell(tmp_path, client).run(CHECK.replace(PUBLISHED, published))
        assert server.end() == 0


def check_pages(published: str, certificate: Path, secret: str) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate))
    with httpx2.Client(base_url=published, verify=trusted, trust_env=False) as browser:
        assert browser.get(f"{PATH}/metrics").status_code == 404
        moved = browser.get(PATH)
        assert (moved.status_code // 100, urlsplit(moved.headers["location"]).path) == (3, f"{PATH}/")
        origin = {"Origin": published}
        signed_in = browser.post(f"{PATH}/signin", data={"secret": secret}, headers=origin)
        assert signed_in.status_code == 303, signed_in.text
        assert urlsplit(signed_in.headers["location"]).path == f"{PATH}/"
        cookie = signed_in.headers["set-cookie"]
        assert "Secure" in cookie
        assert f"Path={PATH}" in cookie
        jobs = browser.get(f"{PATH}/")
        assert jobs.status_code == 200
        assert f'href="{PATH}/submit"' in jobs.text
