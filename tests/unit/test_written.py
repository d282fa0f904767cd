"""What exists under an output's name, and whose transcript it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from batchscribe.jobs.model import Outcome
from batchscribe.stages.existing_output import END_BYTES, ExistingOutput, RecordingIdentity, exists, look, own_outcome
from batchscribe.storage.memory import MemoryStore
from batchscribe.transcript.as_json import render_json
from batchscribe.transcript.document import Metadata, Transcript
from batchscribe.transcript.provenance import Provenance
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.wire.config import Config

OUT = "memory://out/a.json"
ME = RecordingIdentity("s3://in/a.wav", '"e1"', 7, "req_mine")
OURS = Provenance("req_mine", 2.5, ("cut off",), "s3://in/a.wav", '"e1"', 7)


def found(content: bytes) -> ExistingOutput | None:
    return look(OUT, MemoryStore({OUT: content}))


def a_transcript(n_segments: int) -> bytes:
    return render_json(
        Transcript(
            request_id="req_mine",
            duration_sec=2.5,
            model="scripted",
            channels=1,
            segments=tuple(
                TranscriptSegment(channel=0, start_sec=0.0, end_sec=1.0, text='"\n "metadata": {}}', words=())
                for _ in range(n_segments)
            ),
            config=Config(),
            metadata=Metadata("scripted", None, "s3://in/a.wav", '"e1"', 7, warnings=("cut off",)),
        )
    )


@pytest.mark.parametrize("n_segments", [0, 1, 5_000])
def test_a_transcript_of_any_length_says_which_recording_it_is_of(n_segments: int) -> None:
    content = a_transcript(n_segments)
    assert (len(content) > 2 * END_BYTES) is (n_segments == 5_000)
    assert found(content) == ExistingOutput(OURS)


def test_a_long_transcript_that_was_laid_out_anew_is_still_known() -> None:
    content = json.dumps(json.loads(a_transcript(5_000)), indent=2).encode()
    assert found(content) == ExistingOutput(OURS)


@pytest.mark.parametrize(
    "content", [b"", b"no json", b"[]", b'"req_mine"', b'{"agent": 7}', b"{" * 10_000, b"\xff" * 200_000]
)
def test_an_object_that_is_not_a_transcript_is_recognized(content: bytes) -> None:
    assert found(content) == ExistingOutput(None)


def test_nothing_is_found_under_an_unused_name() -> None:
    assert look(OUT, MemoryStore()) is None


@pytest.mark.parametrize(
    ("change", "is_mine"),
    [
        ({}, True),
        ({"request_id": "req_other_engine"}, True),
        ({"request_id": "req_x", "input_etag": '"older"'}, True),  # the recording has changed since
        ({"request_id": "req_x", "input_uri": "s3://in/a.m4a"}, False),
        ({"request_id": "req_x", "input_uri": None}, True),  # written by an older release: size and ETag decide
        ({"request_id": "req_x", "input_uri": None, "input_etag": '"older"'}, False),
        ({"request_id": "req_x", "input_uri": None, "input_etag": None}, False),
    ],
)
def test_a_transcript_names_its_recording(change: dict[str, Any], is_mine: bool) -> None:
    assert ME.is_named_by(replace(OURS, **change)) is is_mine


def test_two_downloads_with_one_path_are_two_recordings() -> None:
    me = RecordingIdentity("https://host/download", '"e1"', 7, "req_x")
    assert me.is_named_by(replace(OURS, input_uri="https://host/download"))
    assert not me.is_named_by(replace(OURS, input_uri="https://host/download", input_size_bytes=8))


def test_a_recording_whose_folder_was_moved_is_known_by_name_size_and_etag() -> None:
    moved = replace(ME, uri="s3://elsewhere/a.wav")
    assert moved.has_moved_from(OURS)
    assert not moved.has_moved_from(replace(OURS, input_etag='"other"'))
    assert not replace(moved, uri="s3://elsewhere/b.wav").has_moved_from(OURS)


def test_after_a_death_our_own_transcript_has_its_outcome() -> None:
    assert own_outcome(ExistingOutput(OURS), "req_mine") == Outcome.succeeded(duration_sec=2.5, warnings=("cut off",))
    for existing in (None, ExistingOutput(None), ExistingOutput(replace(OURS, request_id="req_x"))):
        assert own_outcome(existing, "req_mine") is None


def test_the_sentence_says_what_is_there() -> None:
    assert "allow overwriting" in exists(OUT, ExistingOutput(OURS), is_own=True).message
    assert "is not a transcript" in exists(OUT, ExistingOutput(None), is_own=False).message
    of_another = exists(OUT, ExistingOutput(replace(OURS, input_uri="s3://in/b.wav")), is_own=False).message
    assert "of s3://in/b.wav" in of_another
    assert "never replaced" in of_another
