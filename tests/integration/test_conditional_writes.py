"""Storage without conditional writes: noticed before the first file, and reported with a workaround."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchscribe.errors import ConditionalWriteUnsupported, StorageError
from batchscribe.jobs.model import Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.storage import retrying_client
from batchscribe.storage.conditional_writes import PROBE
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.schemes import connect
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.output import Output
from tests.integration.flow_runner import FlowRunner, running
from tests.recordings import write_wav
from tests.servers.bucket import Bucket, Instead, refusal, serving_bucket
from tests.servers.scripted import Asked, Reply

URI = "s3://bucket/out/a.json"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying_client, "FIRST_PAUSE_SEC", 0.001)


def conditional_puts(reply: Reply) -> Instead:
    return lambda asked: reply if asked.method == "PUT" and "if-none-match" in asked.headers else None


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[FlowRunner]:
    with running(tmp_path, engine="scripted") as runner:
        yield runner


@pytest.fixture
def recording(tmp_path: Path) -> bytes:
    return write_wav(tmp_path / "a.wav").read_bytes()


def run(runner: FlowRunner, bucket: Bucket, *, overwrite: bool = False) -> Job:
    changes: dict[str, Any] = {
        "input": {"mode": "PREFIX", "source": "S3"},
        "sources": (Source(SourceKind.PREFIX, "s3://bucket/calls/"),),
        "output": Output(uri="s3://bucket/out/", layout=OutputLayout.PREFIX, overwrite=overwrite),
        "input_credentials": AwsCredentials("key", "secret"),
        "storage_settings": {"s3_endpoint": bucket.endpoint, "s3_allow_http": True},
    }
    return runner.run(**changes)


def test_a_job_ends_before_its_first_file_and_succeeds_with_overwrite(runner: FlowRunner, recording: bytes) -> None:
    objects = {f"calls/{name}.wav": recording for name in "abc"}
    with serving_bucket(objects, conditional_puts(refusal(501, "NotImplemented"))) as bucket:
        job = run(runner, bucket)
        assert (job.state, job.error_code) == ("FAILED", "CONDITIONAL_WRITE_UNSUPPORTED")
        assert "s3://bucket/out/ does not support conditional writes" in (job.error_message or "")
        assert "`overwrite`" in (job.error_message or "")
        assert len(bucket.puts) == 1
        assert [asked.path for asked in bucket.asked if asked.path.endswith(".wav")] == []

        assert run(runner, bucket, overwrite=True).state == "SUCCEEDED"
        assert sorted(bucket.puts[1:]) == ["out/a.json", "out/b.json", "out/c.json"]


def test_where_it_only_shows_at_the_first_transcript_the_job_ends_there(runner: FlowRunner, recording: bytes) -> None:
    """The service rejects a wrong digest first, so the probe cannot notice it."""

    def refuse(asked: Asked) -> Reply | None:
        if asked.method != "PUT":
            return None
        return refusal(400, "BadDigest") if PROBE in asked.path else refusal(501, "NotImplemented")

    with serving_bucket({"calls/a.wav": recording}, refuse) as bucket:
        job = run(runner, bucket)
        assert (job.state, job.error_code) == ("FAILED", "CONDITIONAL_WRITE_UNSUPPORTED")
        assert bucket.puts[1:] == ["out/a.json"]


def test_an_output_bucket_that_is_missing_ends_the_job_before_its_first_file(
    runner: FlowRunner, recording: bytes
) -> None:
    with serving_bucket({"calls/a.wav": recording}, conditional_puts(refusal(404, "NoSuchBucket"))) as bucket:
        assert run(runner, bucket).error_code == "BUCKET_NOT_FOUND"
        assert len(bucket.puts) == 1


def test_a_probe_that_is_denied_proves_nothing_about_transcripts(runner: FlowRunner, recording: bytes) -> None:
    def refuse(asked: Asked) -> Reply | None:
        return refusal(403, "AccessDenied") if PROBE in asked.path else None

    with serving_bucket({"calls/a.wav": recording}, refuse) as bucket:
        assert run(runner, bucket).state == "SUCCEEDED"
        assert "out/a.json" in bucket.objects


def test_a_probe_that_was_stored_without_an_answer_is_deleted(runner: FlowRunner, recording: bytes) -> None:
    """The service ignores the digest. The second try of the same PUT finds the object of the first."""

    def lose_answer(asked: Asked) -> Reply | None:
        if asked.method != "PUT" or PROBE not in asked.path:
            return None
        tries = sum(each.method == "PUT" and PROBE in each.path for each in bucket.asked)
        return refusal(503, "SlowDown") if tries == 1 else refusal(412, "PreconditionFailed")

    with serving_bucket({"calls/a.wav": recording}, lose_answer) as bucket:
        assert run(runner, bucket).state == "SUCCEEDED"
        [probe] = {asked.path for asked in bucket.asked if asked.method == "PUT" and PROBE in asked.path}
        assert [asked.path for asked in bucket.asked if asked.method == "DELETE"] == [probe]


@pytest.mark.parametrize(
    "reply",
    [
        refusal(501, "NotImplemented"),
        refusal(501, "XNotImplemented"),
        Reply(501),
        refusal(405, "MethodNotAllowed"),
        refusal(400, "NotImplemented"),
        refusal(400, "InvalidArgument"),
        refusal(400, "InvalidRequest"),
        Reply(400, b"Bad Request"),
    ],
    ids=lambda reply: f"{reply.status} {reply.content.decode()[:40]}",
)
def test_every_form_of_the_error_is_recognized_and_not_retried(reply: Reply) -> None:
    with serving_bucket({}, conditional_puts(reply)) as bucket:
        store = connect(bucket.access)
        with pytest.raises(ConditionalWriteUnsupported, match="overwrite"):
            store.write(URI, b"{}", overwrite=False)
        with pytest.raises(ConditionalWriteUnsupported, match="overwrite"):
            store.check_write(URI)
        store.write(URI, b"{}", overwrite=True)
        assert len(bucket.puts) == 3


def test_a_400_to_everything_is_not_laid_to_the_condition() -> None:
    with serving_bucket({}, lambda _asked: refusal(400, "InvalidArgument")) as bucket:
        store = connect(bucket.access)
        with pytest.raises(StorageError, match="refused") as raised:
            store.write(URI, b"{}", overwrite=False)
    assert raised.value.code == "STORAGE_ERROR"


def test_a_conflicting_write_is_retried() -> None:
    replies = iter([refusal(409, "ConditionalRequestConflict")] * 2)
    with serving_bucket({}, lambda asked: next(replies, None) if asked.method == "PUT" else None) as bucket:
        connect(bucket.access).write(URI, b"{}", overwrite=False)
        assert bucket.objects["out/a.json"] == b"{}"


def test_a_persistent_conflict_fails_and_does_not_mean_an_existing_transcript() -> None:
    with serving_bucket({}, conditional_puts(refusal(409, "ConditionalRequestConflict"))) as bucket:
        with pytest.raises(StorageError, match="ConditionalRequestConflict") as raised:
            connect(bucket.access).write(URI, b"{}", overwrite=False)
        assert (raised.value.code, len(bucket.puts)) == ("STORAGE_UNAVAILABLE", 4)


def test_a_web_page_in_place_of_an_answer_is_not_taken_for_a_stored_transcript() -> None:
    with serving_bucket({}, conditional_puts(Reply(200, b"<html>Log in</html>"))) as bucket:
        store = connect(bucket.access)
        with pytest.raises(StorageError, match="web page") as raised:
            store.write(URI, b"{}", overwrite=False)
    assert raised.value.code == "INVALID_STORAGE_ANSWER"


def test_a_service_that_looks_at_no_digest_is_left_as_it_was() -> None:
    with serving_bucket({}) as bucket:
        connect(bucket.access).check_write(URI)
        assert len(bucket.puts) == 1
        assert bucket.objects == {}


def test_what_a_probe_that_was_cut_short_left_is_deleted_by_the_next_one() -> None:
    """A worker is killed between the PUT and the DELETE; the job is enumerated again."""
    with serving_bucket({}, lambda asked: refusal(403, "AccessDenied") if asked.method == "DELETE" else None) as bucket:
        store = connect(bucket.access)
        store.check_write(URI)
        [left] = bucket.objects
        assert PROBE in left
        bucket.instead = lambda _asked: None
        store.check_write(URI)
        assert bucket.objects == {}
