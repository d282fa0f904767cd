"""Keywords of a submission, as the request body that they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchscribe.client.job_fields import JobFields, job_body
from batchscribe.errors import UsageError
from batchscribe.wire.request import JobRequest

AWS = {"aws": {"access_key_id": "a", "secret_access_key": "b"}}


def test_all_keywords_have_their_place_in_the_body() -> None:
    body = job_body(
        None,
        {
            "input": "s3://a/calls/",
            "output": "gs://b/out/",
            "layout": "PREFIX",
            "overwrite": True,
            "include": ["*.wav"],
            "exclude": ("*_draft.*",),
            "config": {"language": "de-DE"},
            "input_auth": AWS,
            "output_auth": {"gcp": {"access_token": "t"}},
            "reference_id": "october",
            "webhook_url": "https://host/hook",
            "webhook_secret": "s",
        },
    )
    assert body == {
        "input": {
            "source": "S3",
            "uri": "s3://a/calls/",
            "filters": {"include_globs": ["*.wav"], "exclude_globs": ["*_draft.*"]},
            "auth": AWS,
        },
        "output": {
            "destination": "GCS",
            "uri": "gs://b/out/",
            "layout": "PREFIX",
            "overwrite": True,
            "auth": {"gcp": {"access_token": "t"}},
        },
        "config": {"language": "de-DE"},
        "reference_id": "october",
        "notifications": {"webhook_url": "https://host/hook", "secret": "s"},
    }
    assert JobRequest.model_validate(body).reference_id == "october"


@pytest.mark.parametrize("given", ["s3://a/calls/", "s3://a/b.wav", ["s3://a/b.wav", "s3://a/c.wav"]])
def test_without_an_output_transcripts_are_written_beside_their_recordings(given: Any) -> None:
    body = job_body(None, {"input": given})
    assert body["output"] == {"destination": "S3", "uri": "", "layout": "ADJACENT"}
    JobRequest.model_validate(body)


def test_a_list_is_a_manifest() -> None:
    body = job_body(None, {"input": ["s3://a/b.wav", "s3://a/c.wav"], "output": "s3://b/"})
    assert body["input"] == {"mode": "MANIFEST", "source": "S3", "manifest": ["s3://a/b.wav", "s3://a/c.wav"]}


def test_a_path_is_a_file_or_a_folder_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a b.wav").touch()
    assert job_body(None, {"input": tmp_path})["input"]["uri"] == f"{tmp_path.as_uri()}/"
    file = job_body(None, {"input": tmp_path / "a b.wav"})
    assert file["input"] == {"source": "FILE", "uri": f"{tmp_path.as_uri()}/a%20b.wav"}


def test_a_body_is_sent_as_it_is() -> None:
    body = {"input": {"uri": "s3://a/"}, "new": True}
    assert job_body(body, {}) is body


@pytest.mark.parametrize(
    ("body", "fields", "message"),
    [
        ({"input": {}}, {"input": "s3://a/"}, "not both: omit input"),
        (None, {}, "needs an input"),
        (None, {"input": "calls/"}, "'calls/' is not a URI.* give a Path"),
        (None, {"input": "s3://a/", "language": "de-DE"}, "'language' is not a field of a job.*go into config"),
    ],
)
def test_what_does_not_fit_together_is_explained(body: Any, fields: JobFields, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        job_body(body, fields)
