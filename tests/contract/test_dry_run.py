"""Dry runs (extensions, row 1). `strict` checks their shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.bodies import ABSENT, changed, manifest, prefix, single
from tests.contract.client import Answer, Client
from tests.contract.conftest import NewDatabase, client_of
from tests.contract.server import Server
from tests.contract.strict import Json
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="module")
def careful(server: Server) -> Iterator[Client]:
    """A tenant without any job."""
    with client_of(server, server.new_key("careful")) as client:
        yield client


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    """One bucket per database, because existing transcripts would affect the next jobs."""
    names = ("calls/a.wav", "calls/deep/b.wav", "calls/c_draft.wav")
    return moto_s3.new_bucket(
        **dict.fromkeys(names, wav), **{"calls/notes.txt": b"x", "other/a.wav": wav, "other/d.wav": wav}
    )


def looked(client: Client, body: Json, **query: str) -> Json:
    answer = client.call("POST", "/jobs", 200, json=body, params={"dry_run": "true"} | query)
    return answer.body


def test_what_a_prefix_would_do_is_counted_and_planned(careful: Client, bucket: str, wav: bytes) -> None:
    filters = {"include_globs": ["**/*.wav", "*.txt"], "exclude_globs": ["*_draft.*"]}
    body = changed(prefix(f"s3://{bucket}/calls/", f"s3://{bucket}/out/"), {"input.filters": filters})
    seen = looked(careful, body)
    assert {name: seen[name] for name in ("complete", "matched", "skipped", "excluded", "bytes")} == {
        "complete": True,
        "matched": 2,
        "skipped": 1,
        "excluded": 1,
        "bytes": 2 * len(wav),
    }
    assert seen["planned"] == [
        {"input_uri": f"s3://{bucket}/calls/a.wav", "output_uri": f"s3://{bucket}/out/a.json"},
        {"input_uri": f"s3://{bucket}/calls/deep/b.wav", "output_uri": f"s3://{bucket}/out/deep/b.json"},
    ]
    assert seen["warnings"] == []


def test_the_plan_is_what_the_job_then_does(alice: Client, bucket: str) -> None:
    body = prefix(f"s3://{bucket}/calls/", f"s3://{bucket}/done/")
    planned = {pair["input_uri"]: pair["output_uri"] for pair in looked(alice, body)["planned"]}
    files = alice.files(alice.done(body)["job_id"], state="FILE_SUCCEEDED")
    assert {file["input_uri"]: file["output_uri"] for file in files} == planned


def test_the_hours_are_estimated(careful: Client, bucket: str) -> None:
    hours = looked(careful, prefix(f"s3://{bucket}/calls/"))["estimated_audio_hours"]
    assert 0 < hours < 0.1


def test_the_body_is_read_as_a_jobs_is(careful: Client, bucket: str) -> None:
    seen = looked(careful, changed(single(f"s3://{bucket}/calls/a.wav"), {"input.mode": ABSENT, "config": ABSENT}))
    assert (seen["input"]["mode"], seen["input"]["source"]) == ("SINGLE", "S3")
    assert seen["config"]["language"] == "en-US"
    assert seen["output"] == {
        "destination": "S3",
        "uri": "s3://transcripts/a.json",
        "layout": "SINGLE",
        "overwrite": False,
    }


def test_nothing_is_stored(careful: Client, moto_s3: S3Server, bucket: str) -> None:
    body = prefix(f"s3://{bucket}/calls/", f"s3://{bucket}/never/")
    looked(careful, body)
    assert careful.jobs() == []
    assert "Contents" not in moto_s3.client().list_objects_v2(Bucket=bucket, Prefix="never/")


def test_a_manifest_is_planned_in_its_order(careful: Client, bucket: str) -> None:
    uris = [f"s3://{bucket}/other/d.wav", f"s3://{bucket}/calls/a.wav"]
    seen = looked(careful, manifest(*uris))
    assert [pair["input_uri"] for pair in seen["planned"]] == uris
    assert seen["matched"] == 2


def test_no_more_than_a_hundred_pairs_are_planned(idle: Client, recordings: Path) -> None:
    for number in range(105):
        write_wav(recordings / "many" / f"{number:03}.wav", duration_sec=0.01)
    folder = f"{(recordings / 'many').as_uri()}/"
    body = changed(prefix(folder, folder), {"input.source": "FILE", "output.destination": "FILE", "input.auth": ABSENT})
    seen = looked(idle, body)
    assert (seen["matched"], len(seen["planned"])) == (105, 100)


def test_names_that_collide_are_warned_of(careful: Client, bucket: str) -> None:
    seen = looked(careful, manifest(f"s3://{bucket}/calls/a.wav", f"s3://{bucket}/other/a.wav"))
    outputs = [pair["output_uri"] for pair in seen["planned"]]
    assert outputs == ["s3://transcripts/a.json", "s3://transcripts/a.wav.json"]
    assert len(seen["warnings"]) == 1


@pytest.mark.parametrize("changes", [{"input.filters.include_globs": ["*.ogg"]}, {"input.uri": "s3://{bucket}/none/"}])
def test_no_match_is_warned_of(careful: Client, bucket: str, changes: Json) -> None:
    filled = {path: value.format(bucket=bucket) if isinstance(value, str) else value for path, value in changes.items()}
    seen = looked(careful, changed(prefix(f"s3://{bucket}/calls/"), filled))
    assert (seen["matched"], seen["planned"]) == (0, [])
    assert seen["warnings"]


@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_a_dry_run_may_be_requested_in_many_ways(careful: Client, bucket: str, value: str) -> None:
    looked(careful, single(f"s3://{bucket}/calls/a.wav"), dry_run=value)


@pytest.mark.parametrize("value", ["false", "0"])
def test_dry_run_false_submits_a_job(idle: Client, value: str) -> None:
    idle.submit(single(), dry_run=value)


@pytest.mark.parametrize("value", ["perhaps", "2", "\0"])
def test_a_dry_run_that_is_neither_is_refused_and_submits_nothing(careful: Client, value: str) -> None:
    assert careful.refused(single(), dry_run=value).fields == ["dry_run"]
    assert careful.jobs() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"input.uri": "ftp://x"}, "input.uri"), ({"config.diarization": True}, "config.diarization")],
)
def test_what_a_submit_refuses_a_dry_run_refuses(careful: Client, changes: Json, field: str) -> None:
    assert field in careful.refused(changed(single(), changes), dry_run="true").fields


def test_the_error_of_the_storage_is_shown(careful: Client) -> None:
    answer: Answer = careful.refused(prefix("s3://there-is-no-such-bucket/calls/"), dry_run="true")
    assert answer.reason == "BUCKET_NOT_FOUND"


def test_a_manifest_that_names_a_file_twice_counts_it_once_and_says_so(careful: Client, bucket: str) -> None:
    twice = (f"s3://{bucket}/other/a.wav", f"s3://{bucket}/other/d.wav", f"s3://{bucket}/other/a.wav")
    told = looked(careful, manifest(*twice))
    assert told["matched"] == 2
    assert any("1 files more than once" in warning for warning in told["warnings"])
