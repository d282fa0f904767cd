"""Whole jobs on `gs://` and `az://`: through `batchscribe serve`, `transcribe` and `doctor`.

Azurite checks keys and signatures. The server of Google Cloud Storage checks tokens.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batchscribe.client import Client
from batchscribe.errors import ServerRefused
from tests.contract.server import Server
from tests.integration.command import DATA, QUICK, Command, wait_until
from tests.integration.test_azure import sas_of
from tests.recordings import write_wav
from tests.servers.azurite import ACCOUNT, KEY, Azurite
from tests.servers.azurite_gate import AzuriteGate, azurite_gate
from tests.servers.gcs_bucket import GcsBucket, serving_gcs
from tests.servers.scripted import Asked, Reply

Json = dict[str, Any]

AZURE = {"azure": {"account_name": ACCOUNT, "account_key": KEY}}
AWS = {"aws": {"access_key_id": "key", "secret_access_key": "secret"}}
CONFIG = {"segmentation_mode": "none", "output_formats": ["json", "srt"]}
TOKEN = "token-that-expires"
NAMES = ("a.wav", "b.wav", "c.wav")
INTERRUPTED_FILES = 12
SLOW_SEC = 2.0  #: for one recording, so that a job lasts longer than a signal takes


def service_account(bucket: GcsBucket) -> Json:
    account = bucket.account
    names = ("client_email", "private_key", "private_key_id")
    return {"gcp": {name: getattr(account, name) for name in names}}


@dataclass(frozen=True)
class Clouds:
    """A server of both clouds, with recordings below `calls/`."""

    gcs: GcsBucket
    gate: AzuriteGate
    azurite: Azurite
    container: str

    def environment(self) -> dict[str, str]:
        return {
            "BATCHSCRIBE_AZURE_ENDPOINT": self.gate.endpoint,
            "BATCHSCRIBE_GCS_ENDPOINT": self.gcs.url,
            "BATCHSCRIBE_GCS_TOKEN_URL": f"{self.gcs.url}/token",
        }

    def auth(self, scheme: str) -> Json:
        return service_account(self.gcs) if scheme == "gs" else AZURE

    def uri(self, scheme: str, key: str) -> str:
        return f"{scheme}://{'bucket' if scheme == 'gs' else self.container}/{key}"

    def objects(self, scheme: str, folder: str) -> dict[str, bytes]:
        """Return what is below a folder, by the names in it."""
        found = (
            self.azurite.objects(self.container) if scheme == "az" else {k: v[0] for k, v in self.gcs.objects.items()}
        )
        return {key.removeprefix(folder): data for key, data in found.items() if key.startswith(folder)}

    def secrets(self) -> list[str]:
        lines = str(self.gcs.account.private_key).splitlines()
        return [KEY, TOKEN, *lines[1:-1], *(f"Bearer {token}" for token in self.gcs.tokens)]


@pytest.fixture(scope="module")
def clouds(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    recording = write_wav(tmp_path_factory.mktemp("recordings") / "a.wav").read_bytes()
    objects = {f"calls/{name}": recording for name in NAMES}
    with serving_gcs(objects) as gcs, azurite_gate(azurite) as gate:
        yield Clouds(gcs, gate, azurite, azurite.new_bucket(**objects))


@pytest.fixture(scope="module")
def server(clouds: Clouds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = clouds.environment() | {"BATCHSCRIBE_LOG_LEVEL": "debug"}
    with Server(tmp_path_factory.mktemp("server"), environment) as started:
        yield started


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    key = server.new_key("acme")
    with Client(server.url, api_key=key.api_key, api_secret=key.api_secret) as made:
        yield made


@pytest.fixture
def command(clouds: Clouds, tmp_path: Path) -> Command:
    """The command line, with the variables of the vendors' tools."""
    account = service_account(clouds.gcs)["gcp"]
    (tmp_path / "key.json").write_text(json.dumps({"type": "service_account", **account}))
    variables = {
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
        "AZURE_STORAGE_ACCOUNT": ACCOUNT,
        "AZURE_STORAGE_KEY": KEY,
    }
    return Command(tmp_path, clouds.environment() | variables)


def secrets_on_record(folder: Path) -> int:
    with sqlite3.connect(folder / "batchscribe.db") as database:
        (count,) = database.execute("SELECT count(*) FROM secret").fetchone()
    database.close()
    return int(count)


def assert_unseen(secrets: list[str], *places: bytes | str) -> None:
    seen = b"".join(place.encode() if isinstance(place, str) else place for place in places)
    assert [secret for secret in secrets if secret.encode() in seen] == []


def content_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


# --- through the server ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), [("gs", "az"), ("az", "gs")])
def test_recordings_in_one_cloud_become_transcripts_in_the_other(
    clouds: Clouds, server: Server, client: Client, source: str, target: str
) -> None:
    folder = f"from-{source}/"
    body = {
        "input": {
            "uri": clouds.uri(source, "calls/"),
            "auth": clouds.auth(source),
            "filters": {"exclude_globs": ["c*"]},
        },
        "output": {"uri": clouds.uri(target, folder), "auth": clouds.auth(target)},
        "config": CONFIG,
    }
    assert client.dry_run(body).matched == 2
    job = client.wait(client.submit(body).job_id, timeout_sec=120)
    files = list(client.files(job.job_id))
    assert job.state == "SUCCEEDED", files
    assert [file.input_uri for file in files] == [clouds.uri(source, f"calls/{name}") for name in ("a.wav", "b.wav")]
    written = clouds.objects(target, folder)
    assert sorted(written) == ["a.json", "a.srt", "b.json", "b.srt"]
    assert list(files[0].output_uris) == [clouds.uri(target, f"{folder}{name}") for name in ("a.json", "a.srt")]
    assert json.loads(written["a.json"])["metadata"]["input"]["uri"] == files[0].input_uri
    assert b" --> " in written["a.srt"]
    assert secrets_on_record(server.data_dir) == 0
    answers = json.dumps([job.raw, [file.raw for file in files]])
    assert_unseen(clouds.secrets(), answers, server.log_text(), content_of(server.data_dir), *written.values())


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_a_transcript_is_written_next_to_its_recording_with_the_same_credentials(
    clouds: Clouds, client: Client, scheme: str
) -> None:
    body = {
        "input": {"uri": clouds.uri(scheme, "calls/c.wav"), "auth": clouds.auth(scheme)},
        "output": {"layout": "ADJACENT"},
        "config": CONFIG,
    }
    job = client.wait(client.submit(body).job_id, timeout_sec=120)
    assert (job.state, job.output["destination"]) == ("SUCCEEDED", {"gs": "GCS", "az": "AZURE"}[scheme])
    assert {"c.json", "c.srt"} < clouds.objects(scheme, "calls/").keys()


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        ({"gcp": {"client_email": "robot@example", "private_key": "not PEM"}}, "WRONG_SECRET_KEY"),
        ({"gcp": {"access_token": "made-up"}}, "INVALID_CREDENTIALS"),
        ({"azure": {"account_name": ACCOUNT, "account_key": "\u00e9"}}, "WRONG_SECRET_KEY"),
        ({"azure": {"account_name": ACCOUNT, "account_key": "d3Jvbmc="}}, "ACCESS_DENIED"),
    ],
)
def test_a_job_with_wrong_credentials_ends_with_what_to_correct(
    clouds: Clouds, client: Client, auth: Json, code: str
) -> None:
    scheme = "gs" if "gcp" in auth else "az"
    body = {
        "input": {"uri": clouds.uri(scheme, "calls/"), "auth": auth},
        "output": {"uri": clouds.uri("az", "never/"), "auth": AZURE},
    }
    job = client.wait(client.submit(body).job_id, timeout_sec=120)
    assert (job.state, job.error and job.error.code) == ("FAILED", code)


# --- fresh credentials -----------------------------------------------------------------------------------------


@pytest.fixture
def gcs_expiring(clouds: Clouds) -> Iterator[Json]:
    """A token that expires when the job opens its second recording."""

    def expire(asked: Asked) -> Reply | None:
        if asked.path.endswith("b.wav"):
            clouds.gcs.tokens.discard(TOKEN)
        return None

    clouds.gcs.tokens.add(TOKEN)
    clouds.gcs.instead = expire
    yield {"gcp": {"access_token": TOKEN}}
    clouds.gcs.instead = lambda _asked: None


@pytest.fixture
def azure_expiring(clouds: Clouds) -> Iterator[Json]:
    """The same for a shared access signature."""
    clouds.gate.expire_at = lambda asked: asked.path.endswith("b.wav")
    yield {"azure": {"account_name": ACCOUNT, "sas_token": sas_of(clouds.container, hours=1)}}
    clouds.gate.expire_at, clouds.gate.has_expired = lambda _asked: False, False


@pytest.mark.parametrize(
    ("scheme", "expiring", "foreign"), [("gs", "gcs_expiring", AZURE), ("az", "azure_expiring", AWS)]
)
def test_files_wait_until_fresh_credentials_of_their_cloud_arrive(
    request: pytest.FixtureRequest,
    clouds: Clouds,
    server: Server,
    client: Client,
    scheme: str,
    expiring: str,
    foreign: Json,
) -> None:
    body = {
        "input": {"uri": clouds.uri(scheme, "calls/"), "auth": request.getfixturevalue(expiring)},
        "output": {"uri": clouds.uri("gs", f"renewed-{scheme}/"), "auth": clouds.auth("gs")},
        "config": CONFIG,
    }
    job_id = client.submit(body).job_id
    wait_until(lambda: client.job(job_id).waiting_for == "credentials")
    with pytest.raises(ServerRefused, match=r"takes credentials in input\.auth"):
        client.renew_credentials(job_id, input_auth=foreign)
    with pytest.raises(ServerRefused, match=r"takes credentials in output\.auth\.gcp"):
        client.renew_credentials(job_id, output_auth=AZURE)
    assert_unseen(clouds.secrets(), content_of(server.data_dir), json.dumps(client.job(job_id).raw))
    client.renew_credentials(job_id, input_auth=clouds.auth(scheme))
    job = client.wait(job_id, timeout_sec=120)
    assert job.state == "SUCCEEDED", list(client.files(job_id))
    assert {"a.json", "b.json", "c.json"} < clouds.objects("gs", f"renewed-{scheme}/").keys()
    assert secrets_on_record(server.data_dir) == 0


# --- on the command line ---------------------------------------------------------------------------------------


@pytest.fixture
def slow_after_two(clouds: Clouds) -> Iterator[list[str]]:
    """Recordings are slow after the first two transcripts. The fixture is the list of transcripts."""
    written = clouds.gate.written

    def delay(asked: Asked) -> Reply | None:
        if asked.query.get("alt") == "media" and len(written) >= 2:
            time.sleep(SLOW_SEC)
        return None

    written.clear()
    clouds.gcs.instead = delay
    yield written
    clouds.gcs.instead = lambda _asked: None


def test_after_ctrl_c_the_same_command_resumes_a_job_between_clouds(
    clouds: Clouds, command: Command, slow_after_two: list[str]
) -> None:
    recording, _ = clouds.gcs.objects["calls/a.wav"]
    for number in range(INTERRUPTED_FILES):
        clouds.gcs.put(f"many/{number:02}.wav", recording)
    words = ("transcribe", clouds.uri("gs", "many"), "-o", clouds.uri("az", "resumed"), *QUICK)
    first = command.signaled(signal.SIGINT, *words, when=lambda: len(slow_after_two) >= 2)
    assert first.status == 130, first
    done_before = len(slow_after_two)
    assert done_before < INTERRUPTED_FILES
    clouds.gcs.instead = lambda _asked: None
    second = command.run(*words)
    assert second.status == 0, second
    assert f"Resuming {first.job_id}: " in second.err
    assert second.counters().items() >= {"succeeded": str(INTERRUPTED_FILES), "skipped": "0"}.items()
    assert len(set(slow_after_two)) == len(slow_after_two) == INTERRUPTED_FILES
    assert secrets_on_record(command.folder / DATA) == 0
    assert_unseen(clouds.secrets(), first.out, first.err, second.out, second.err, content_of(command.folder / DATA))


def test_a_key_of_the_environment_that_is_incomplete_is_reported_before_the_job(
    clouds: Clouds, command: Command
) -> None:
    del command.environment["AZURE_STORAGE_ACCOUNT"]
    refused = command.transcribe(clouds.uri("az", "calls"), "-o", "out")
    assert refused.status == 2
    assert "AZURE_STORAGE_ACCOUNT" in refused.err


# --- doctor ----------------------------------------------------------------------------------------------------


def examined(command: Command, *words: str, status: int = 0) -> dict[str, Json]:
    result = command.run("doctor", "--json", *words)
    checks = {check["name"]: check for check in result.json()["checks"]}
    assert result.status == status, [check for check in checks.values() if check["verdict"] == "failed"]
    return checks


@pytest.mark.parametrize(("scheme", "endpoint"), [("gs", "GCS endpoint"), ("az", "Azure endpoint")])
def test_the_doctor_lists_a_bucket_and_leaves_nothing_in_it(
    clouds: Clouds, command: Command, scheme: str, endpoint: str
) -> None:
    before = clouds.objects(scheme, "")
    uri = clouds.uri(scheme, "calls/")
    checks = examined(command, "--bucket", uri, "--write")
    assert checks[endpoint]["verdict"] == "ok"
    assert checks["bucket"]["finding"] == f"{uri} can be listed, written to, and deleted from."
    assert clouds.objects(scheme, "") == before


def test_the_doctor_names_the_variables_of_a_refused_key(clouds: Clouds, command: Command) -> None:
    command.environment["AZURE_STORAGE_KEY"] = "d3Jvbmc="
    refused = examined(command, "--bucket", clouds.uri("az", "calls/"), status=1)["bucket"]
    assert "refused access" in refused["finding"]
    assert "AZURE_STORAGE_KEY" in refused["advice"]


def test_the_doctor_asks_no_host_whose_name_has_a_placeholder(command: Command) -> None:
    command.environment["BATCHSCRIBE_AZURE_ENDPOINT"] = "https://{account}.blob.storage.invalid"
    assert "Azure endpoint" not in examined(command)
