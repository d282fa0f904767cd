"""The fleet of `deploy/compose.yaml` as local processes: its own commands and settings, other addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.documents import ROOT
from tests.integration.command import Command, Started, wait_until, wait_until_equal
from tests.integration.server import PREFIX
from tests.models.whisper import Line, scripted_whisper
from tests.recordings import write_wav
from tests.servers.postgresql import SECRET_KEY, PostgreSQL
from tests.servers.s3_server import S3Server

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
FILES = 60


@dataclass(frozen=True, slots=True)
class Composed:
    """Starts the services of the file, adapted to this machine."""

    folder: Path
    here: dict[str, str]

    def command(self, service: str) -> Command:
        return Command(self.folder / service, dict(SERVICES[service]["environment"]) | self.here)

    def words(self, service: str) -> list[str]:
        """Return the command with free loopback ports, because the processes have no private network."""
        words: list[str] = [word.replace("0.0.0.0", "127.0.0.1") for word in SERVICES[service]["command"]]  # noqa: S104
        return [*words, "--port", "0"] if service == "api" else words

    @contextmanager
    def started(self, service: str, *words: str, pauses_after: int | None = None) -> Iterator[tuple[Started, str]]:
        """Return the process and the first URL that it prints when it is ready."""
        command = replace(self.command(service), pauses_after=pauses_after)
        with command.started(*self.words(service), *words) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://[\w.:]+", line)
            assert found, (line, process.stderr and process.stderr.read())
            if service == "worker":
                assert "is ready" in process.stdout.readline()
            yield process, found[0]


@pytest.fixture
def composed(postgresql: PostgreSQL, moto_s3: S3Server, tmp_path: Path) -> Composed:
    for service in ("migrate", "api", "worker"):
        (tmp_path / service).mkdir()
    here = {
        "BATCHSCRIBE_DATABASE_URL": postgresql.new_empty_database(),
        "BATCHSCRIBE_SECRET_KEY": SECRET_KEY,
        "BATCHSCRIBE_S3_ENDPOINT": moto_s3.endpoint,
        "BATCHSCRIBE_METRICS_HOST": "127.0.0.1",
        "BATCHSCRIBE_METRICS_PORT": "0",
        "BATCHSCRIBE_ENGINE": "scripted",
        "BATCHSCRIBE_ENGINE_PROCESSES": "1",
        "BATCHSCRIBE_HEARTBEAT_SEC": "0.5",
        "BATCHSCRIBE_SILENT_SEC": "2",
    }
    return Composed(tmp_path, here)


def number(url: str, name: str, **labels: str) -> float:
    text = httpx2.get(f"{url}/metrics", trust_env=False, timeout=10).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def test_the_fleet_completes_a_job_despite_a_killed_worker_and_sends_its_webhook(
    composed: Composed, moto_s3: S3Server, tmp_path: Path
) -> None:
    wav = write_wav(tmp_path / "a.wav").read_bytes()
    bucket = moto_s3.new_bucket(**{f"calls/{name:02}.wav": wav for name in range(FILES)})
    migrated = composed.command("migrate").run(*composed.words("migrate"))
    assert migrated.status == 0, migrated
    key = composed.command("api").run("keys", "create", "--tenant", "acme", "--json").json()
    with ExitStack() as running:
        _, server = running.enter_context(composed.started("api"))
        lost, _ = running.enter_context(composed.started("worker", "--name", "lost", pauses_after=6))
        _, other = running.enter_context(composed.started("worker", "--name", "other"))
        assert httpx2.get(f"{server}/readyz", trust_env=False).status_code == 200
        wait_until(lambda: number(other, "batchscribe_workers", state="working") == 2)
        client = client_of(server, key)
        job_id = client.post("/jobs", json=body_for(moto_s3, bucket)).json()["job_id"]
        lost.kill()
        wait_until(lambda: client.get(f"/jobs/{job_id}").json()["state"] == "SUCCEEDED", within_sec=60)
        wait_until(lambda: number(other, "batchscribe_reaped_workers_total") == 1)
        wait_until_equal(lambda: number(server, "batchscribe_workers", state="working"), 1)  # a stalled one is silent
        wait_until_equal(lambda: number(server, "batchscribe_queue_files"), 0)
        assert number(server, "batchscribe_database_up") == 1
        assert number(server, "batchscribe_files_total") == 0  # it only answers
        wait_until(lambda: number(other, "batchscribe_files_total", outcome="succeeded") > 0)

        def is_well() -> bool:
            checks = composed.command("api").run("doctor", "--json").out
            return json.loads(checks)["ok"] is True and "1 at work (other)" in checks

        wait_until(is_well)
        client.close()
    written = moto_s3.client().list_objects_v2(Bucket=bucket, Prefix="out/")
    assert written["KeyCount"] == FILES


def test_a_job_without_workers_waits_for_the_first_one(composed: Composed, moto_s3: S3Server, tmp_path: Path) -> None:
    """The server has the settings of the file, and no model; the engine that it names is that of the worker."""
    bucket = moto_s3.new_bucket(**{"calls/a.wav": write_wav(tmp_path / "a.wav").read_bytes()})
    assert composed.command("migrate").run("migrate").status == 0
    key = composed.command("api").run("keys", "create", "--tenant", "acme", "--json").json()
    waiting = replace(
        composed, here=composed.here | {"BATCHSCRIBE_ENGINE": SERVICES["api"]["environment"]["BATCHSCRIBE_ENGINE"]}
    )
    with waiting.started("api") as (_, server):
        client = client_of(server, key)
        submitted = client.post("/jobs", json=body_for(moto_s3, bucket))
        assert submitted.status_code == 201, submitted.text
        path = f"/jobs/{submitted.json()['job_id']}"
        assert client.get(path).json()["state"] == "QUEUED"
        scripted_whisper(waiting.folder / "worker" / "data" / "models" / "base", Line("words of a worker"))
        with waiting.started("worker"):
            wait_until(lambda: client.get(path).json()["state"] == "SUCCEEDED", within_sec=60)
        client.close()
    [written] = moto_s3.client().list_objects_v2(Bucket=bucket, Prefix="out/")["Contents"]
    transcript = moto_s3.client().get_object(Bucket=bucket, Key=written["Key"])["Body"].read().decode()
    assert "words of a worker" in transcript


def client_of(server: str, key: dict[str, Any]) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {key['api_secret']}"}
    return httpx2.Client(base_url=server + PREFIX, headers=headers, trust_env=False)


def body_for(s3: S3Server, bucket: str) -> dict[str, Any]:
    """Return the body of a job over `calls/` in the bucket."""
    auth = {"aws": {"access_key_id": s3.access_key_id, "secret_access_key": s3.secret_access_key}}
    return {
        "input": {"mode": "PREFIX", "uri": f"s3://{bucket}/calls/", "auth": auth},
        "output": {"uri": f"s3://{bucket}/out/", "auth": auth},
        "config": {"segmentation_mode": "none"},
    }
