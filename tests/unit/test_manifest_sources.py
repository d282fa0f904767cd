"""From a request's input to the sources of the job."""

from __future__ import annotations

import pytest

from batchscribe.errors import InvalidRequest
from batchscribe.jobs.source import Source, SourceKind, named_files, sources_of
from batchscribe.wire.input import Input


def test_a_single_recording_is_one_file() -> None:
    assert sources_of(Input(uri="s3://b/a.wav")) == (Source(SourceKind.FILE, "s3://b/a.wav"),)


def test_a_manifest_is_its_files_in_order_repeated_ones_once() -> None:
    uris = ("s3://b/2.wav", "s3://b/1.wav", "s3://b/2.wav")
    assert tuple(source.uri for source in sources_of(Input(manifest=uris))) == uris[:2]


def test_a_prefix_is_a_folder_and_does_not_reach_into_its_namesakes() -> None:
    parsed = Input.model_validate({"uri": "s3://b/calls", "filters": {"include_globs": ["*.wav"]}})
    (source,) = sources_of(parsed)
    assert source == Source(SourceKind.PREFIX, "s3://b/calls/", ("*.wav",))


def test_globs_that_cannot_be_used_are_refused_before_the_job_is_accepted() -> None:
    with pytest.raises(InvalidRequest):
        sources_of(Input.model_validate({"uri": "s3://b/calls/", "filters": {"include_globs": ["{a,b}" * 20]}}))


def test_filters_see_the_decoded_path_below_the_prefix() -> None:
    folder = Source(SourceKind.PREFIX, "file:///my%20calls/", ("a b/*.wav",))
    path = folder.path_of("file:///my%20calls/a%20b/c%20d.wav")
    assert path == "a b/c d.wav"
    assert folder.path_filter().admits(path)


def test_only_files_named_one_by_one_are_known_beforehand() -> None:
    sources = (Source(SourceKind.FILE, "s3://b/a.wav"), Source(SourceKind.PREFIX, "s3://b/calls/"))
    assert named_files(sources) == {"s3://b/a.wav"}
