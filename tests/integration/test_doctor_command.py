"""`batchscribe doctor` on healthy and on broken machines: real databases, keys, buckets and clocks."""

from __future__ import annotations

import base64
import http.server
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.database.connect import open_database
from batchscribe.database.schema import VERSION_TABLE
from batchscribe.database.tables import sealing_key, worker
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from tests.integration.command import DATA, Command, wait_until
from tests.recordings import write_wav
from tests.servers.postgresql import SECRET_KEY, PostgreSQL
from tests.servers.s3_server import S3Server

Checks = dict[str, dict[str, Any]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, {"BATCHSCRIBE_ENGINE": "pocketsphinx"})


@pytest.fixture
def used(command: Command) -> Command:
    """A machine that has processed a job."""
    write_wav(command.folder / "a.wav")
    assert command.transcribe("a.wav", "--output", "out").status == 0
    return command


def examined(command: Command, *words: str, status: int = 0) -> Checks:
    """Run the doctor and check its exit status. Return the checks by name."""
    result = command.run("doctor", "--json", *words)
    assert result.status == status, result
    body = result.json()
    assert body["ok"] is (status == 0)
    return {check["name"]: check for check in body["checks"]}


def engine_of(command: Command) -> sa.Engine:
    return open_database(f"sqlite:///{command.folder / DATA / 'batchscribe.db'}")


def execute(command: Command, statement: sa.Executable) -> None:
    engine = engine_of(command)
    with engine.begin() as connection:
        connection.execute(statement)
    engine.dispose()


def at_version(version: str) -> sa.Update:
    return sa.update(sa.table(VERSION_TABLE, sa.column("version_num"))).values(version_num=version)


def files_below(folder: Path) -> dict[Path, bytes]:
    """Return the files, except SQLite's shared index, into which readers write their position."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path: b"" if path.name.endswith("-shm") else path.read_bytes() for path in files}


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


# --- healthy machines ---------------------------------------------------------------------------------------------


def test_on_a_new_machine_nothing_fails_and_nothing_is_made(command: Command) -> None:
    checks = examined(command)
    assert checks["database"]["finding"].endswith("the first use creates it.")
    assert checks["engine"]["verdict"] == "warning"
    assert "models pull" in checks["engine"]["advice"]
    assert list(command.folder.iterdir()) == []


def test_after_use_all_is_well_and_no_byte_changes(used: Command) -> None:
    before = files_below(used.folder)
    checks = examined(used)
    for name in ("settings", "database", "clock", "schema", "secret key", "workers"):
        assert checks[name]["verdict"] == "ok", checks[name]
    assert files_below(used.folder) == before


def test_beside_a_process_at_work_it_sees_what_is_there_now(used: Command) -> None:
    with used.started("worker", "--name", "night-shift") as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        assert "1 at work (night-shift)" in examined(used)["workers"]["finding"]


def test_people_see_a_table_with_what_to_do(command: Command) -> None:
    command.environment["BATCHSCRIBE_SILENT_SEC"] = "10"
    result = command.run("doctor")
    assert result.status == 1
    line, advice, *_ = (line.strip() for line in result.out.splitlines() if "failed" in line or "BATCHSCRIBE_" in line)
    assert line.startswith("settings")
    assert advice.startswith("Set BATCHSCRIBE_SILENT_SEC to at least twice BATCHSCRIBE_HEARTBEAT_SEC")


# --- database and schema ------------------------------------------------------------------------------------------


def test_a_file_that_is_not_a_database_is_reported(command: Command) -> None:
    (command.folder / DATA).mkdir()
    (command.folder / DATA / "batchscribe.db").write_text(
        "not a database at all, but long enough to be read as one" * 9
    )
    checks = examined(command, status=1)
    assert checks["database"]["verdict"] == "failed"
    assert checks["schema"]["verdict"] == "skipped"


def test_an_older_schema_is_upgraded_automatically_and_a_newer_one_rejected(used: Command) -> None:
    execute(used, at_version("0003"))
    older = examined(used)["schema"]
    assert older["verdict"] == "warning"
    assert "The schema is 0003" in older["finding"]
    execute(used, at_version("9999_fits_0001"))
    assert examined(used)["schema"]["verdict"] == "ok"
    execute(used, at_version("9999"))
    newer = examined(used, status=1)["schema"]
    assert newer["verdict"] == "failed"
    assert "Install the release" in newer["advice"]


def test_an_unreachable_postgresql_is_reported_without_its_password(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = command.run("doctor", "--database", f"postgresql://somebody:hidden-word@127.0.0.1:{port}/jobs")
    assert result.status == 1
    assert "Connection refused" in result.out
    assert "BATCHSCRIBE_DATABASE_URL" in result.out
    assert "hidden-word" not in result.out + result.err


def test_an_empty_postgresql_wants_to_be_migrated_and_is_well_then(command: Command, postgresql: PostgreSQL) -> None:
    command.environment["BATCHSCRIBE_DATABASE_URL"] = postgresql.new_empty_database()
    command.environment["BATCHSCRIBE_SECRET_KEY"] = SECRET_KEY
    schema = examined(command, status=1)["schema"]
    assert schema["verdict"] == "failed"
    assert schema["advice"] == "Run `batchscribe migrate` with the same database."
    assert command.run("migrate").status == 0
    checks = examined(command)
    assert checks["schema"]["verdict"] == "ok"
    assert checks["database"]["finding"].startswith("PostgreSQL 1")
    assert checks["clock"]["verdict"] == "ok"


# --- the key ------------------------------------------------------------------------------------------------------


def test_a_key_that_differs_from_the_other_processes_is_reported(command: Command, postgresql: PostgreSQL) -> None:
    url = postgresql.new_database()
    open_records(load_settings(data_dir=command.folder, database_url=url, secret_key=SECRET_KEY)).database.dispose()
    command.environment["BATCHSCRIBE_DATABASE_URL"] = url
    assert "is not set" in examined(command, status=1)["secret key"]["finding"]
    command.environment["BATCHSCRIBE_SECRET_KEY"] = new_key()
    assert "key differs" in examined(command, status=1)["secret key"]["finding"]
    command.environment["BATCHSCRIBE_SECRET_KEY"] = f"{new_key()},{SECRET_KEY}"
    assert examined(command)["secret key"]["verdict"] == "ok"


def test_a_missing_damaged_or_readable_key_file_is_reported(used: Command) -> None:
    key_file = used.folder / DATA / "secret.key"
    key_file.chmod(0o644)
    open_to_all = examined(used)["secret key"]
    assert open_to_all["verdict"] == "warning"
    assert open_to_all["advice"] == f"Run: chmod 600 {key_file}"
    key_file.write_text("short")
    assert examined(used, status=1)["secret key"]["verdict"] == "failed"
    key_file.unlink()
    lost = examined(used, status=1)["secret key"]
    assert "Restore the key file" in lost["advice"]
    assert not key_file.exists()


# --- storage ------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_s3(command: Command, moto_s3: S3Server) -> Command:
    s3 = {
        "BATCHSCRIBE_S3_ENDPOINT": moto_s3.endpoint,
        "BATCHSCRIBE_S3_ALLOW_HTTP": "true",
        "BATCHSCRIBE_S3_PATH_STYLE": "true",
        "AWS_ACCESS_KEY_ID": moto_s3.access_key_id,
        "AWS_SECRET_ACCESS_KEY": moto_s3.secret_access_key,
    }
    return replace(command, environment=command.environment | s3)


def test_a_bucket_is_listed_and_nothing_is_left_in_it(with_s3: Command, moto_s3: S3Server) -> None:
    bucket = moto_s3.new_bucket(**{"calls/a.wav": b"x"})
    checks = examined(with_s3, "--bucket", f"s3://{bucket}/calls/")
    assert checks["S3 endpoint"]["verdict"] == "ok"
    assert checks["bucket"]["finding"] == f"s3://{bucket}/calls/ can be listed."
    written = examined(with_s3, "--bucket", f"s3://{bucket}/calls/", "--write")["bucket"]
    assert written["finding"] == f"s3://{bucket}/calls/ can be listed, written to, and deleted from."
    assert [item["Key"] for item in moto_s3.client().list_objects_v2(Bucket=bucket)["Contents"]] == ["calls/a.wav"]


def test_a_missing_bucket_is_reported(with_s3: Command) -> None:
    bucket = examined(with_s3, "--bucket", "s3://no-such-bucket-here/", status=1)["bucket"]
    assert "does not exist" in bucket["finding"]


def test_a_bucket_without_write_permission_is_reported(with_s3: Command, radosgw: S3Server) -> None:
    bucket = radosgw.new_bucket()
    with_s3.environment["BATCHSCRIBE_S3_ENDPOINT"] = radosgw.endpoint
    with_s3.environment["AWS_ACCESS_KEY_ID"] = radosgw.access_key_id
    with_s3.environment["AWS_SECRET_ACCESS_KEY"] = "wrong"
    refused = examined(with_s3, "--bucket", f"s3://{bucket}/", status=1)["bucket"]
    assert "refused access" in refused["finding"]
    assert "AWS_SECRET_ACCESS_KEY" in refused["advice"]
    with_s3.environment["AWS_SECRET_ACCESS_KEY"] = radosgw.secret_access_key
    assert examined(with_s3, "--bucket", f"s3://{bucket}/", "--write")["bucket"]["verdict"] == "ok"


def test_an_unresponsive_endpoint_is_reported_immediately(with_s3: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with_s3.environment["BATCHSCRIBE_S3_ENDPOINT"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
    checks = examined(with_s3, "--bucket", "s3://calls/", status=1)
    assert "does not answer (Connection refused)" in checks["S3 endpoint"]["finding"]
    assert checks["bucket"]["verdict"] == "skipped"


def test_writing_requires_a_bucket(command: Command) -> None:
    refused = command.run("doctor", "--write")
    assert refused.status == 2
    assert "--bucket" in refused.err


class _Yesterday(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(0.0)

    def log_message(self, *_: object) -> None:
        """Do not log into the output of the tests."""


@contextmanager
def yesterday() -> Iterator[str]:
    """Return the URL of a server whose clock is far behind."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Yesterday) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_storage_with_a_skewed_clock_is_reported_because_it_rejects_signatures(with_s3: Command) -> None:
    with yesterday() as url:
        with_s3.environment["BATCHSCRIBE_S3_ENDPOINT"] = url
        endpoint = examined(with_s3)["S3 endpoint"]
    assert endpoint["verdict"] == "warning"
    assert "Its clock differs" in endpoint["finding"]


def test_a_root_folder_that_is_not_mounted_is_reported(command: Command) -> None:
    command.environment["BATCHSCRIBE_FILE_ROOTS"] = f"{command.folder}/calls"
    assert "is not a folder" in examined(command, status=1)["folder of file:// URIs"]["finding"]


# --- engine and workers -------------------------------------------------------------------------------------------


def test_an_engine_without_a_model_is_reported_with_the_command_to_pull_one(command: Command) -> None:
    command.environment["BATCHSCRIBE_ENGINE"] = "whisper"
    engine = examined(command, status=1)["engine"]
    assert "has no model" in engine["finding"]
    assert "`batchscribe models pull base`" in engine["advice"]


def test_the_engine_is_loaded_only_on_request(command: Command) -> None:
    assert "engine pocketsphinx" not in examined(command)
    loaded = examined(command, "--load")["engine pocketsphinx"]
    assert loaded["verdict"] == "ok"
    assert "transcribed a trial recording" in loaded["finding"]


def test_stranded_files_and_silent_workers_are_reported(used: Command) -> None:
    with used.started("serve", "--port", "0", "--no-worker") as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
    write_wav(used.folder / "b.wav")
    with used.started("worker", "--name", "lost") as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
    wait_until(lambda: "lost" in examined(used)["workers"]["finding"])
    execute(used, sa.update(worker).values(seen_at=1.0, version="0.0.1"))
    silent = examined(used)["workers"]
    assert silent["verdict"] == "warning"
    assert "1 silent (lost)" in silent["finding"]


def test_the_table_of_the_key_is_not_written_to(used: Command) -> None:
    execute(used, sa.delete(sealing_key))
    examined(used)
    engine = engine_of(used)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(sealing_key)) == 0
    engine.dispose()
