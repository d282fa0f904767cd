"""A package index for pip (PEP 503), and wheels for it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass
class PackageIndex:
    """`wheels` by file name. For those in `held`, the second half is sent when the event is set."""

    url: str = ""
    wheels: dict[str, bytes] = field(default_factory=dict)
    held: dict[str, Event] = field(default_factory=dict)
    half_sent: dict[str, Event] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)  #: wheels that were sent completely

    def hold(self, wheel: str) -> None:
        self.held[wheel], self.half_sent[wheel] = Event(), Event()

    def release(self) -> None:
        for event in self.held.values():
            event.set()

    def settings(self) -> dict[str, str]:
        """Return variables with which pip uses only this index, whatever the configuration of the machine."""
        return {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"{self.url}/simple",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_NO_INDEX": "0",
            "PIP_RETRIES": "0",
            "PIP_RESUME_RETRIES": "0",
        }

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        folder, _, name = request.path.strip("/").partition("/")
        if folder == "simple":
            wheels = [wheel for wheel in self.wheels if wheel.partition("-")[0].replace("_", "-") == name]
            links = "".join(f'<a href="/files/{wheel}#sha256={self.sha256(wheel)}">{wheel}</a>' for wheel in wheels)
            send(request, f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")
        elif folder == "files" and name in self.wheels:
            self.send_wheel(request, name)
        else:
            request.send_error(404)

    def sha256(self, wheel: str) -> str:
        return hashlib.sha256(self.wheels[wheel]).hexdigest()

    def send_wheel(self, request: BaseHTTPRequestHandler, name: str) -> None:
        body = self.wheels[name]
        half = len(body) // 2 if name in self.held else len(body)
        with suppress(ConnectionError):  # the client was killed
            send(request, body[:half], "application/zip", size=len(body))
            request.wfile.flush()
            if name in self.held:
                self.half_sent[name].set()
                self.held[name].wait(60)
            request.wfile.write(body[half:])
            self.served.append(name)


def send(request: BaseHTTPRequestHandler, body: bytes, kind: str, *, size: int | None = None) -> None:
    request.send_response(200)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body) if size is None else size))
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def running_index() -> Iterator[PackageIndex]:
    index = PackageIndex()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.answer(self)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield index
        index.release()
        server.shutdown()
        thread.join()


def wheel_name(package: str, version: str) -> str:
    return f"{package.replace('-', '_')}-{version}-py3-none-any.whl"


def make_wheel(
    package: str, version: str, members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Create a wheel that pip accepts, with the members in this order."""
    about = f"{package.replace('-', '_')}-{version}.dist-info"
    everything = {
        **members,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{name},sha256={record_hash(content)},{len(content)}" for name, content in everything.items()]
    everything[f"{about}/RECORD"] = "\n".join([*lines, f"{about}/RECORD,,\n"]).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as file:
        for name, content in everything.items():
            file.writestr(name, content)
    return archive.getvalue()


def record_hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
