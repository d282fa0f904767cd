"""Requests as submissions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchscribe.intake.submission import Submission, read_local_requests, read_request
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import Settings, load_settings
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.wire.choices import OutputLayout, Place
from batchscribe.wire.request import parse_job_request

KEY = AwsCredentials("id", "secret")
AUTH = {"aws": {"access_key_id": "id", "secret_access_key": "secret"}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, s3_endpoint="https://s3.example")


def local(settings: Settings, *inputs: dict[str, Any], **output: Any) -> Submission:
    named: dict[str, Any] = output or {"uri": "file:///out"}
    requests = [parse_job_request({"input": source, "output": named}) for source in inputs]
    return read_local_requests(requests, settings=settings)


def test_a_local_job_has_a_lane_of_its_own_and_keeps_where_s3_is(settings: Settings) -> None:
    submission = local(settings, {"uri": "s3://b/a.wav"})
    assert submission.lane == submission.job_id != SERVER_LANE
    assert submission.storage_settings["s3_endpoint"] == "https://s3.example"


def test_a_local_job_may_use_the_folders_that_it_names(settings: Settings) -> None:
    submission = local(settings, {"uri": "file:///calls/a.wav"}, {"uri": "file:///more/"}, {"uri": "s3://b/x/"})
    assert submission.file_roots == (Path("/calls"), Path("/more"), Path("/"))
    single = local(settings, {"uri": "file:///calls/a.wav"}, uri="file:///new/a.json")
    assert single.file_roots == (Path("/calls"), Path("/new"))
    assert local(settings, {"uri": "s3://b/a.wav"}, uri="s3://b/out/").file_roots == ()
    assert read_request(parse_job_request(BODY), tenant="acme", settings=settings).file_roots == ()


BODY = {"input": {"uri": "file:///calls/"}, "output": {"uri": "file:///out"}}


def test_one_input_is_echoed_as_it_was_requested(settings: Settings) -> None:
    file = local(settings, {"uri": "file:///calls/a.wav", "mode": "SINGLE"})
    assert file.input == {"mode": "SINGLE", "source": "FILE", "uri": "file:///calls/a.wav"}
    folder = local(settings, {"uri": "file:///calls/", "filters": {"include_globs": ["*.wav"]}})
    filters = {"include_globs": ["*.wav"], "exclude_globs": []}
    assert folder.input == {"mode": "PREFIX", "source": "FILE", "uri": "file:///calls/", "filters": filters}


def test_several_inputs_are_one_job_and_echoed_as_a_manifest(settings: Settings) -> None:
    manifest = {"manifest": ["s3://b/a.wav", "s3://b/b.wav"]}
    submission = local(settings, manifest, {"uri": "file:///calls/"}, {"uri": "s3://b/a.wav"}, uri="file:///out/")
    assert [source.kind for source in submission.sources] == [SourceKind.FILE, SourceKind.FILE, SourceKind.PREFIX]
    uris = ["s3://b/a.wav", "s3://b/b.wav", "file:///calls/"]
    assert submission.input == {"mode": "MANIFEST", "source": "S3", "manifest": uris}


def test_transcripts_next_to_recordings_are_stored_where_those_are(settings: Settings) -> None:
    for uri, place in (("file:///calls/a.wav", Place.FILE), ("s3://b/a.wav", Place.S3)):
        output = local(settings, {"uri": uri}, layout="ADJACENT").output
        assert (output.layout, output.destination, output.uri) == (OutputLayout.ADJACENT, place, "")


def test_the_same_words_mean_the_same_job_before_and_after_the_output_folder_exists(settings: Settings) -> None:
    calls = {"uri": "file:///calls/"}
    before, after = (local(settings, calls, uri=uri) for uri in ("file:///out", "file:///out/"))
    assert before.fingerprint == after.fingerprint
    assert before.output.uri == "file:///out/"
    assert local(settings, calls, uri="file:///other/").fingerprint != before.fingerprint


def test_each_side_has_the_keys_that_its_requests_bring(settings: Settings) -> None:
    submission = local(settings, {"uri": "file:///calls/"}, {"uri": "s3://b/x/", "auth": AUTH}, uri="file:///out/")
    assert (submission.input_credentials, submission.output_credentials) == (AwsCredentials("id", "secret"), None)
    submission = local(settings, {"uri": "file:///calls/"}, uri="s3://b/out/", auth=AUTH)
    assert (submission.input_credentials, submission.output_credentials) == (None, AwsCredentials("id", "secret"))


def test_a_request_of_a_server_and_one_of_this_machine_are_the_same_work(settings: Settings) -> None:
    body = {"input": {"uri": "file:///calls/"}, "output": {"uri": "file:///out/"}}
    served = read_request(parse_job_request(body), tenant="default", settings=settings)
    here = read_local_requests([parse_job_request(body)], settings=settings)
    assert here.sources == served.sources == (Source(SourceKind.PREFIX, "file:///calls/"),)
    assert replace(here, storage_settings={}).fingerprint == served.fingerprint


@pytest.mark.parametrize(
    ("output_uri", "expected"),
    [("s3://b/", KEY), ("file:///out/", KEY), ("gs://b/", None), ("az://c/", None)],
)
def test_an_output_in_another_cloud_does_not_get_the_credentials_of_the_input(
    output_uri: str, expected: AwsCredentials | None
) -> None:
    body = {"input": {"uri": "s3://b/a.wav", "auth": AUTH}, "output": {"uri": output_uri}}
    submission = read_request(parse_job_request(body), tenant="t", settings=load_settings())
    assert submission.credentials_of_output == expected
