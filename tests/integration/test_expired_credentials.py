"""Credentials that expire during a job: its files wait for fresh ones and continue."""

from __future__ import annotations

import queue
import time
from collections.abc import Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from batchscribe.errors import JobEnded
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.inline import InlinePool
from batchscribe.stages.finish import cancel_job
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, open_credentials, renew_credentials
from batchscribe.window import Recognition
from batchscribe.wire.choices import FileState, JobState, OutputLayout
from batchscribe.wire.output import Output
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.recordings import write_wav
from tests.servers.bucket import Bucket, serving_bucket
from tests.servers.expiring import Tokens, is_opened, is_recording, keys
from tests.servers.scripted import Asked

on_each_database = pytest.mark.usefixtures("database")

NAMES = ("a.wav", "b.wav", "c.wav", "d.wav")
QUIET_SEC = 0.7  #: long enough for several polls of a worker


class CountingPool(InlinePool):
    """A pool that counts its windows."""

    heard = 0

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        self.heard += 1
        return super().submit(request, file)


class World:
    """A bucket whose tokens expire, and a worker with one engine."""

    def __init__(self, runner: FlowRunner, bucket: Bucket, tokens: Tokens, pools: list[CountingPool]) -> None:
        self.runner = runner
        self.bucket = bucket
        self.tokens = tokens
        self._pools = pools

    @property
    def heard(self) -> int:
        return sum(pool.heard for pool in self._pools)

    def submit(self, *names: str, key: str = "first", out: str = "out", **changes: Any) -> Job:
        """Submit a job of these recordings, or of all."""
        files = tuple(Source(SourceKind.FILE, f"s3://bucket/calls/{name}") for name in names)
        wanted: dict[str, Any] = {
            "input": {"mode": "PREFIX", "source": "S3"},
            "sources": files or (Source(SourceKind.PREFIX, "s3://bucket/calls/"),),
            "output": Output(uri=f"s3://bucket/{out}/", layout=OutputLayout.PREFIX),
            "input_credentials": keys(key),
            "storage_settings": {"s3_endpoint": self.bucket.endpoint, "s3_allow_http": True},
        }
        return self.runner.submit(**(wanted | changes))

    def waits(self, job: Job) -> Job:
        return self.runner.wait(job, until=lambda job: job.waits_for_credentials)

    def renew(self, job: Job) -> None:
        """Send fresh credentials. From now on no token expires."""
        self.tokens.expire_at = lambda _asked: False
        self.renewed(job)

    def renewed(self, job: Job) -> None:
        self.tokens.valid.add("fresh")
        renew_credentials(self.runner.records, job, {INPUT: keys("fresh")})

    def waiting_rows(self) -> int:
        with self.runner.records.transaction() as connection:
            return int(connection.scalar(sa.text("SELECT count(*) FROM waiting")) or 0)

    def ends(self, job: Job) -> list[tuple[FileState, str | None]]:
        return [(file.state, file.error_code) for file in self.runner.files(job)]


@contextmanager
def world(folder: Path, *names: str, duration_sec: float = 0.3, **settings: Any) -> Iterator[World]:
    recording = write_wav(folder / "recording.wav", duration_sec=duration_sec).read_bytes()
    tokens, pools = Tokens("first"), list[CountingPool]()

    def make_pool(spec: Any, processes: int) -> CountingPool:
        pools.append(CountingPool(spec, processes))
        return pools[-1]

    with (
        serving_bucket({f"calls/{name}": recording for name in names or NAMES}, tokens.check) as bucket,
        running(folder, make_pool=make_pool, engine_processes=1, **settings) as runner,
    ):
        yield World(runner, bucket, tokens, pools)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def transcripts(bucket: Bucket, folder: str = "out") -> list[str]:
    """Return the names of all written transcripts, once per write."""
    found = [key.removeprefix(f"{folder}/") for key in bucket.puts if key.startswith(f"{folder}/")]
    return sorted(name for name in found if not name.startswith("."))


@on_each_database
def test_files_wait_for_fresh_keys_without_asking_again_and_each_is_transcribed_once(here: World) -> None:
    here.tokens.is_checked = is_recording
    here.tokens.expire_at = is_opened("c.wav", "d.wav")
    job = here.waits(here.submit())
    assert job.state is JobState.PROCESSING
    assert job.answer().body()["waiting_for"] == "credentials"
    wait_until(lambda: here.runner.job(job.job_id).summary.processing == 0)
    asked = len(here.bucket.asked)
    time.sleep(QUIET_SEC)
    assert len(here.bucket.asked) == asked
    here.renew(job)
    done = here.runner.wait(job)
    assert done.state is JobState.SUCCEEDED
    assert "waiting_for" not in done.answer().body()
    assert transcripts(here.bucket) == ["a.json", "b.json", "c.json", "d.json"]
    assert here.heard == 4
    assert [file.attempt for file in here.runner.files(job)] == [1, 1, 1, 1]


def test_a_transcript_that_cannot_be_written_is_made_again_with_fresh_keys(here: World) -> None:
    here.tokens.expire_at = lambda asked: asked.method == "PUT" and asked.path.endswith("/out/a.json")
    job = here.waits(here.submit("a.wav"))
    here.renew(job)
    assert here.runner.wait(job).state is JobState.SUCCEEDED
    assert here.heard == 2
    assert here.ends(job) == [(FileState.SUCCEEDED, None)]


def test_credentials_renewed_in_time_affect_nothing(tmp_path: Path) -> None:
    """A recording of several blocks is open, and its transcript not written, when the old key expires."""
    with world(tmp_path, "long.wav", duration_sec=120.0) as here:
        jobs: queue.Queue[Job] = queue.Queue()

        def renew_at_the_second_block(asked: Asked) -> bool:
            if (
                is_recording(asked)
                and not asked.headers["range"].startswith("bytes=0-")
                and "first" in here.tokens.valid
            ):
                here.renewed(jobs.get(timeout=60))
                here.tokens.valid.discard("first")
            return False

        here.tokens.expire_at = renew_at_the_second_block
        job = here.submit("long.wav")
        jobs.put(job)
        assert here.runner.wait(job).state is JobState.SUCCEEDED
        assert here.tokens.valid == {"fresh"}
        assert [file.attempt for file in here.runner.files(job)] == [1]
        assert transcripts(here.bucket) == ["long.json"]


def test_new_keys_are_used_from_the_next_file_on(here: World) -> None:
    """The old ones may have been stolen, so they are not used until they expire."""
    jobs: queue.Queue[Job] = queue.Queue()
    seen: list[str] = []

    def renew_at_the_first_file(asked: Asked) -> bool:
        if is_recording(asked):
            seen.append(asked.headers["x-amz-security-token"])
            if len(seen) == 1:
                here.renewed(jobs.get(timeout=60))
        return False

    here.tokens.expire_at = renew_at_the_first_file
    job = here.submit()
    jobs.put(job)
    assert here.runner.wait(job).state is JobState.SUCCEEDED
    assert (seen[0], seen[-1]) == ("first", "fresh")


@on_each_database
def test_a_listing_interrupted_by_expired_credentials_resumes_where_it_was(here: World) -> None:
    here.bucket.page_keys = 2
    here.tokens.expire_at = lambda asked: "continuation-token" in asked.query
    job = here.waits(here.submit())
    here.renew(job)
    assert here.runner.wait(job).state is JobState.SUCCEEDED
    listings = [asked.query for asked in here.bucket.asked if "list-type" in asked.query]
    assert [query.get("start-after") for query in listings if "continuation-token" not in query] == [
        None,
        "calls/b.wav",
    ]
    assert transcripts(here.bucket) == ["a.json", "b.json", "c.json", "d.json"]


@on_each_database
@pytest.mark.parametrize("wait_sec", [0.0, 0.3])
def test_files_fail_by_name_without_fresh_credentials(tmp_path: Path, wait_sec: float) -> None:
    with world(tmp_path, credentials_wait_sec=wait_sec) as here:
        here.tokens.is_checked = is_recording
        here.tokens.expire_at = is_opened("c.wav", "d.wav")
        job = here.runner.wait(here.submit())
        assert job.state is JobState.PARTIAL
        failed = (FileState.FAILED, "INVALID_CREDENTIALS")
        assert here.ends(job) == [(FileState.SUCCEEDED, None)] * 2 + [failed] * 2
        assert here.waiting_rows() == 0


def test_a_listing_without_fresh_credentials_fails_the_job(tmp_path: Path) -> None:
    with world(tmp_path, credentials_wait_sec=0.3) as here:
        here.bucket.page_keys = 2
        here.tokens.expire_at = lambda asked: "continuation-token" in asked.query
        job = here.runner.wait(here.submit())
        assert (job.state, job.error_code) == (JobState.FAILED, "INVALID_CREDENTIALS")


def test_keys_that_were_never_good_fail_at_once(here: World) -> None:
    listed = here.runner.wait(here.submit(key="never"))
    assert (listed.state, listed.error_code) == (JobState.FAILED, "INVALID_CREDENTIALS")
    named = here.runner.wait(here.submit("a.wav", key="never"))
    assert (named.state, named.error_code) == (JobState.FAILED, "ALL_FILES_FAILED")
    assert here.ends(named) == [(FileState.FAILED, "INVALID_CREDENTIALS")]
    assert here.heard == 0


def test_files_wait_again_if_the_fresh_credentials_are_invalid_too(here: World) -> None:
    here.tokens.is_checked = is_recording
    here.tokens.expire_at = is_opened("c.wav", "d.wav")
    job = here.waits(here.submit())
    refused = here.tokens.refused
    renew_credentials(here.runner.records, job, {INPUT: keys("wrong")})
    wait_until(lambda: here.tokens.refused > refused)
    here.waits(job)
    here.renew(job)
    assert here.runner.wait(job).state is JobState.SUCCEEDED
    assert here.heard == 4


def test_a_job_that_waits_holds_up_no_other_and_no_slot(here: World) -> None:
    here.tokens.is_checked = is_recording
    here.tokens.expire_at = is_opened("b.wav")
    waiting = here.waits(here.submit())
    here.tokens.expire_at = lambda _asked: False
    here.tokens.valid.add("other")
    other = here.runner.wait(here.submit(key="other", out="other"))
    assert other.state is JobState.SUCCEEDED
    assert not other.waits_for_credentials
    assert here.runner.job(waiting.job_id).waits_for_credentials
    here.renew(waiting)
    assert here.runner.wait(waiting).state is JobState.SUCCEEDED


@on_each_database
def test_a_job_may_be_canceled_while_it_waits(here: World) -> None:
    here.tokens.is_checked = is_recording
    here.tokens.expire_at = is_opened("c.wav", "d.wav")
    job = here.waits(here.submit())
    assert cancel_job(job, here.runner.records)
    canceled = here.runner.job(job.job_id)
    assert canceled.state is JobState.CANCELED
    assert "waiting_for" not in canceled.answer().body()
    assert here.waiting_rows() == 0
    with pytest.raises(JobEnded, match=job.job_id):
        here.renew(job)


@on_each_database
def test_a_worker_that_is_started_anew_knows_what_waits(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tokens.is_checked = is_recording
        here.tokens.expire_at = is_opened("c.wav", "d.wav")
        job = here.waits(here.submit())
        wait_until(lambda: here.runner.job(job.job_id).summary.processing == 0)
        here.runner.worker.stop()
        assert here.runner.job(job.job_id).waits_for_credentials
        here.renew(job)
        with running(tmp_path, make_pool=InlinePool, engine_processes=1) as runner:
            assert runner.wait(job).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("of_output", "renewed"), [(None, "fresh"), ("first", "fresh"), ("own", "own")], ids=["none", "same", "own"]
)
def test_the_output_is_renewed_with_the_input_unless_it_has_a_key_of_its_own(
    here: World, of_output: str | None, renewed: str
) -> None:
    job = here.submit(output_credentials=of_output and keys(of_output), lane="elsewhere")
    renew_credentials(here.runner.records, job, {INPUT: keys("fresh")})
    assert open_credentials(here.runner.records, job, INPUT) == keys("fresh")
    assert open_credentials(here.runner.records, job, OUTPUT) == keys(renewed)


def test_the_output_alone_may_be_renewed(here: World) -> None:
    job = here.submit(lane="elsewhere")
    renew_credentials(here.runner.records, job, {OUTPUT: keys("fresh")})
    assert open_credentials(here.runner.records, job, INPUT) == keys("first")
    assert open_credentials(here.runner.records, job, OUTPUT) == keys("fresh")
