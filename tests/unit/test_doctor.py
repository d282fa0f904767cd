"""The doctor's reaction to states that a test cannot create: full disks, wrong clocks, many clients."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from batchscribe import __version__
from batchscribe.check import CheckResult
from batchscribe.database.inspection import measure_clock_offset, open_read_only
from batchscribe.database.worker_rows import insert_worker, workers
from batchscribe.doctor.database_check import check_clock
from batchscribe.doctor.settings_check import MIB, check_disk, check_settings, judge_disk, nearest
from batchscribe.doctor.storage_check import Probe, check_storage
from batchscribe.doctor.worker_check import check_workers
from batchscribe.settings import load_settings
from batchscribe.speech.capability import Capability
from batchscribe.worker.stranded_jobs import find_stranded_jobs
from tests.jobs_on_record import stored_job
from tests.workers_on_record import a_worker


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[sa.Engine]:
    """A database whose machine is 90 s ahead."""

    def wrong_julian_day(_modifier: str) -> float:
        return (time.time() + 90) / 86400 + 2440587.5

    def connected(connection: sqlite3.Connection, _entry: Any) -> None:
        connection.create_function("julianday", 1, wrong_julian_day)

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    event.listen(engine, "connect", connected)
    yield engine
    engine.dispose()


def test_a_clock_that_is_behind_the_database_s_fails(elsewhere: sa.Engine) -> None:
    with elsewhere.connect() as connection:
        assert measure_clock_offset(connection) == pytest.approx(90, abs=1)
        check = check_clock(connection)
    assert check.verdict is CheckResult.FAILED
    assert check.finding == "The clock is 90 s behind the database's."
    assert "NTP" in check.advice


@pytest.mark.parametrize(
    ("free_mib", "verdict"), [(50, CheckResult.FAILED), (500, CheckResult.WARNING), (5000, CheckResult.OK)]
)
def test_a_disk_is_judged_by_what_is_free(free_mib: int, verdict: CheckResult) -> None:
    check = judge_disk("disk", Path("/data"), free_mib * MIB, "BATCHSCRIBE_DATA_DIR")
    assert check.verdict is verdict
    assert f"{free_mib:,} MiB are free in /data." == check.finding
    assert ("BATCHSCRIBE_DATA_DIR" in check.advice) is (verdict is not CheckResult.OK)


def test_a_folder_that_does_not_exist_yet_is_on_the_disk_of_its_parent(tmp_path: Path) -> None:
    assert nearest(tmp_path / "a" / "b") == tmp_path
    assert str(tmp_path) in check_disk("disk", tmp_path / "a" / "b", "X").finding
    assert list(tmp_path.iterdir()) == []


def test_settings_for_an_s3_endpoint_without_one_are_named() -> None:
    (check,) = check_storage(load_settings(s3_path_style=True), None)
    assert check.verdict is CheckResult.WARNING
    assert "BATCHSCRIBE_S3_ENDPOINT" in check.advice


def test_an_azure_endpoint_with_a_placeholder_is_asked_only_if_there_is_an_account() -> None:
    endpoint = "https://{account}.blob.storage.invalid"
    assert list(check_storage(load_settings(azure_endpoint=endpoint), None)) == []
    (check,) = check_storage(load_settings(azure_endpoint=endpoint, azure_account="account1"), None)
    assert "https://account1.blob.storage.invalid does not answer" in check.finding


def test_an_unusable_token_url_is_named_and_its_buckets_are_not_probed() -> None:
    settings = load_settings(gcs_token_url="http://192.0.2.1/token")
    named, skipped = check_storage(settings, Probe("gs://bucket/", write=False, credentials=None))
    assert (named.verdict, skipped.verdict) == (CheckResult.FAILED, CheckResult.SKIPPED)
    assert "BATCHSCRIBE_GCS_TOKEN_URL is plain HTTP" in named.finding


@pytest.mark.parametrize("name", ["s3", "gcs", "azure"])
def test_an_unusable_endpoint_is_named_with_its_setting(name: str) -> None:
    (check,) = check_storage(load_settings(**{f"{name}_endpoint": "storage.example.org"}), None)
    assert check.verdict is CheckResult.FAILED
    assert f"BATCHSCRIBE_{name.upper()}_ENDPOINT must be a URL" in check.finding


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"silent_sec": 15.0}, "BATCHSCRIBE_HEARTBEAT_SEC"),
        ({"webhook_give_up_sec": 1.0}, "BATCHSCRIBE_WEBHOOK_FIRST_RETRY_SEC"),
        ({"metrics_allow_networks": "0.0.0.0/0"}, "BATCHSCRIBE_METRICS_ALLOW_NETWORKS"),
        ({"engine_processes": 512}, "BATCHSCRIBE_ENGINE_PROCESSES"),
    ],
)
def test_settings_that_contradict_each_other_are_named(changes: dict[str, Any], names: str) -> None:
    (check,) = check_settings(load_settings(**changes))
    assert check.verdict is not CheckResult.OK
    assert names in check.advice


def test_an_invalid_file_of_profanities_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("fine\n-\n")
    failed = [check for check in check_settings(load_settings(profanity_file=file)) if check.verdict != CheckResult.OK]
    assert [check.verdict for check in failed] == [CheckResult.FAILED]
    assert "BATCHSCRIBE_PROFANITY_FILE: line 2 of" in failed[0].finding


def test_stranded_files_are_reported(connection: sa.Connection) -> None:
    stored_job(connection, files=3)
    check = check_workers(connection, load_settings())
    assert check.verdict is CheckResult.WARNING
    assert check.finding == "0 at work; 3 unfinished files."
    assert "`batchscribe worker`" in check.advice


def test_workers_of_several_releases_are_reported(connection: sa.Connection) -> None:
    insert_worker(connection, a_worker("one", version="0.0.9"))
    insert_worker(connection, a_worker("two", version="0.0.9"))
    check = check_workers(connection, load_settings())
    assert check.verdict is CheckResult.WARNING
    assert "2 at work (one, two)" in check.finding
    assert "0.0.9" in check.finding


def test_looking_at_a_database_cannot_write_to_it(tmp_path: Path, engine: sa.Engine) -> None:
    look = open_read_only(engine.url.render_as_string(hide_password=False))
    with look.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"read-?only"):
        connection.execute(sa.text("CREATE TABLE mine (x INTEGER)"))
    with pytest.raises(FileNotFoundError):
        open_read_only(f"sqlite:///{tmp_path / 'none.db'}")


def test_jobs_whose_engine_no_worker_has_are_reported(connection: sa.Connection) -> None:
    stored_job(connection, files=3, engine="whisper")
    insert_worker(connection, a_worker("one", version=__version__))
    check = check_workers(connection, load_settings())
    assert check.verdict is CheckResult.WARNING
    assert "Jobs that wait for the engine whisper, which no worker has: 1." in check.finding


def test_a_worker_without_queues_of_models_does_not_serve_them(connection: sa.Connection) -> None:
    tiny = Capability(name="whisper", model="whisper-tiny", languages=("en",), speed=5.0)
    stored_job(connection, files=3, engine="whisper", model="whisper-tiny")
    insert_worker(connection, replace(a_worker("earlier", version=__version__), engines=(tiny,)))
    [stranded] = find_stranded_jobs(connection, workers(connection))
    assert (stranded.engine, stranded.model, stranded.jobs) == ("whisper", "whisper-tiny", 1)
    insert_worker(connection, replace(a_worker("new", version=__version__), engines=(replace(tiny, rank=20),)))
    assert find_stranded_jobs(connection, workers(connection)) == []
