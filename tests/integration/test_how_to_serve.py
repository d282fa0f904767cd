"""The how-to guides for storage, servers and webhooks: their commands, run as they stand against real servers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from typer.main import get_command

from batchscribe.cli.app import app
from batchscribe.cli.process.signals import END_SEC
from batchscribe.settings import load_settings
from tests.documents import ROOT, code_blocks
from tests.integration.command import Command, wait_until
from tests.integration.server import PREFIX, Server, serving
from tests.recordings import write_wav
from tests.servers.azurite import ACCOUNT, KEY, Azurite
from tests.servers.gcs_bucket import serving_gcs
from tests.servers.s3_server import S3Server
from tests.shell_blocks import Shell

ENGINE = {"BATCHSCRIBE_ENGINE": "scripted"}
RECORDINGS, TRANSCRIPTS = "recordings", "transcripts"  #: the buckets of the documents


def blocks(name: str, language: str = "sh") -> list[str]:
    return code_blocks(ROOT / "docs" / name, language)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, ENGINE)


@pytest.fixture
def buckets(moto_s3: S3Server, tmp_path: Path) -> Iterator[S3Server]:
    """The service with the two buckets, and a recording in one of them."""
    client = moto_s3.client()
    for name in (RECORDINGS, TRANSCRIPTS):
        client.create_bucket(Bucket=name)
    moto_s3.put(RECORDINGS, "2026/call.wav", write_wav(tmp_path / "call.wav", channels=2).read_bytes())
    yield moto_s3
    for name in (RECORDINGS, TRANSCRIPTS):
        for key in moto_s3.objects(name):
            client.delete_object(Bucket=name, Key=key)
        client.delete_bucket(Bucket=name)


def at(service: S3Server, shell: Shell, **variables: str) -> Shell:
    """The shell with the service's address and key."""
    settings = {
        "BATCHSCRIBE_S3_ENDPOINT": service.endpoint,
        "BATCHSCRIBE_S3_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": service.access_key_id,
        "AWS_SECRET_ACCESS_KEY": service.secret_access_key,
    }
    return replace(shell, environment=shell.environment | settings | variables)


def test_recordings_in_s3_here_and_through_a_server(buckets: S3Server, shell: Shell) -> None:
    amazon, other, _google, _azure, through_server = blocks("how-to-s3.md")
    here = at(buckets, shell)
    assert "succeeded: 1" in here.run(amazon)
    assert set(buckets.objects(TRANSCRIPTS)) == {"2026/call.json"}
    assert "skipped: 1" in here.run(other.replace("https://storage.example.org", buckets.endpoint))
    buckets.put(RECORDINGS, "2026/call.mp3", b"no recording")
    with serving(Command(shell.folder, here.environment | {"BATCHSCRIBE_AUTH": "off"})) as server:
        told = at(buckets, shell, BATCHSCRIBE_SERVER=server.url).run(through_server, status=1)
        assert server.end() == 0
    assert "Failed: s3://recordings/2026/call.mp3" in told


def test_recordings_in_google_cloud_storage(shell: Shell, tmp_path: Path) -> None:
    _amazon, _other, google, _azure, _through_server = blocks("how-to-s3.md")
    recording = write_wav(tmp_path / "call.wav").read_bytes()
    with serving_gcs({"2026/call.wav": recording}) as bucket:
        account = {name: getattr(bucket.account, name) for name in ("client_email", "private_key", "private_key_id")}
        (tmp_path / "key.json").write_text(json.dumps({"type": "service_account", **account}))
        settings = {"BATCHSCRIBE_GCS_ENDPOINT": bucket.url, "BATCHSCRIBE_GCS_TOKEN_URL": f"{bucket.url}/token"}
        here = replace(shell, environment=shell.environment | settings)
        here.run(google.replace("gs://recordings/", "gs://bucket/").replace("gs://transcripts/", "gs://bucket/out/"))
        assert "out/2026/call.json" in bucket.objects


def test_recordings_in_azure(azurite: Azurite, shell: Shell, tmp_path: Path) -> None:
    _amazon, _other, _google, azure, _through_server = blocks("how-to-s3.md")
    recordings = azurite.new_bucket(**{"2026/call.wav": write_wav(tmp_path / "call.wav").read_bytes()})
    transcripts = azurite.new_bucket()
    told = azure.replace("az://recordings/", f"az://{recordings}/").replace("az://transcripts/", f"az://{transcripts}/")
    told = told.replace("account1", ACCOUNT).replace("AZURE_STORAGE_KEY=...", f"AZURE_STORAGE_KEY={KEY}")
    replace(shell, environment=shell.environment | {"BATCHSCRIBE_AZURE_ENDPOINT": azurite.endpoint}).run(told)
    assert set(azurite.objects(transcripts)) == {"2026/call.json"}


def test_a_client_of_the_original_service_and_jobs_as_from_aws(buckets: S3Server, shell: Shell) -> None:
    create, submit, one, prefix = blocks("how-to-move.md")
    here = at(buckets, shell)
    key = json.loads(here.run(create))
    token = jwt.encode(
        {"iss": key["api_key"], "iat": int(time.time()), "exp": int(time.time()) + 3600}, key["api_secret"]
    )
    with serving(Command(shell.folder, here.environment)) as server:
        client = at(
            buckets, shell, SERVER=server.url, TOKEN=token, BATCHSCRIBE_SERVER=server.url,
            BATCHSCRIBE_API_SECRET=key["api_secret"],
        )  # fmt: skip
        job_id = json.loads(client.run(submit))["job_id"]
        client.run(f"batchscribe jobs wait {job_id}")
        assert set(buckets.objects(TRANSCRIPTS)) == {"2026/call.json"}
        assert "skipped: 1" in client.run(f"{one.rstrip()} --wait")
        assert "skipped: 1" in client.run(f"{prefix.rstrip()} --wait")
        assert server.end() == 0


def test_a_webhook_arrives_with_a_valid_signature(shell: Shell) -> None:
    serve, listen, submit = blocks("how-to-webhooks.md")
    write_wav(shell.folder / "calls" / "a.wav")
    with (
        Command(shell.folder).started(*listen.split()[1:], "--port", "0") as receiver,
        serving(Command(shell.folder, ENGINE | variables_of(serve, shell.folder))) as server,
    ):
        assert receiver.stderr is not None
        assert receiver.stdout is not None
        found = re.search(r"http://\S+/", receiver.stderr.readline())
        assert found
        shell.run(submit.replace("http://127.0.0.1:9000/", found[0]).replace("http://127.0.0.1:8080", server.url))
        line = receiver.stdout.readline()
        assert server.end() == 0
    assert re.search(r"job\.succeeded .* signature ok$", line.rstrip())


def variables_of(block: str, folder: Path) -> dict[str, str]:
    return dict(re.findall(r"(BATCHSCRIBE_\w+)=(\S+)", block.replace("$PWD", str(folder))))


def test_a_deleted_job_is_gone(shell: Shell) -> None:
    keep, delete = blocks("how-to-retention.md")
    write_wav(shell.folder / "calls" / "a.wav")
    key = json.loads(shell.run("batchscribe keys create --tenant acme --json"))
    settings = {"BATCHSCRIBE_FILE_ROOTS": str(shell.folder), **variables_of(keep, shell.folder)}
    with serving(Command(shell.folder, ENGINE | settings)) as server:
        secret = {"BATCHSCRIBE_API_SECRET": key["api_secret"], "BATCHSCRIBE_SERVER": server.url}
        client = Shell(shell.folder, secret | {"SERVER": server.url, "API_SECRET": key["api_secret"]})
        job = json.loads(client.run("batchscribe jobs submit calls/a.wav --output out/a.json --wait --json"))
        client.run(delete.replace("$JOB", job["job_id"]))
        wait_until(lambda: status_of(server, job["job_id"], key) == 404)
        assert server.end() == 0
    assert (shell.folder / "out" / "a.json").is_file()


def status_of(server: Server, job_id: str, key: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {key['api_secret']}"}
    return httpx2.get(f"{server.url}{PREFIX}/jobs/{job_id}", headers=headers, trust_env=False).status_code


def test_the_unit_of_systemd_starts_a_server_and_lets_it_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    (unit,) = blocks("how-to-systemd.md", "ini")
    (variables,) = blocks("how-to-systemd.md", "text")
    service = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    _, command, *words = service["ExecStart"].split()
    get_command(app).commands[command].make_context(command, words)  # type: ignore[attr-defined]
    for name, value in variables_of(variables, Path("/")).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert str(settings.data_dir) == f"/var/lib/{service['StateDirectory']}"
    assert service["ReadWritePaths"] in str(settings.file_roots)
    assert int(service["TimeoutStopSec"]) >= settings.grace_sec + END_SEC
