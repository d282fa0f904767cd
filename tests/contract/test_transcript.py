"""The transcript of a recording (contract 4)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.contract.bodies import single
from tests.contract.client import Client
from tests.contract.strict import Json, check_no_nulls, parsed
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server

CONFIGS: dict[str, Json] = {
    "plain": {},
    "no timestamps": {"timestamps": False},
    "words": {"word_time_offsets": True},
    "words but no timestamps": {"timestamps": False, "word_time_offsets": True},
    "stereo apart": {"channel_separation": True},
    "mono apart": {"channel_separation": True},
    "stereo together": {},
    "wish": {"model": "zoom-scribe-multilingual"},
    "speech only": {"segmentation_mode": "auto"},
}
DURATION_SEC = 65.5


@pytest.fixture(scope="module")
def documents(
    alice: Client, moto_s3: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Json, str]]:
    """Each transcript by its configuration's name, with its content type."""
    folder: Path = tmp_path_factory.mktemp("transcripts")
    mono = write_wav(folder / "mono.wav", duration_sec=DURATION_SEC).read_bytes()
    stereo = write_wav(folder / "stereo.wav", duration_sec=DURATION_SEC, channels=2).read_bytes()
    bucket = moto_s3.new_bucket(**{"mono.wav": mono, "stereo.wav": stereo})
    ids = {}
    for name, config in CONFIGS.items():
        source = "stereo.wav" if name.startswith("stereo") else "mono.wav"
        body = single(f"s3://{bucket}/{source}", f"s3://{bucket}/{name}", config={"segmentation_mode": "none"} | config)
        ids[name] = alice.submit(body)
    assert {alice.ended(job_id)["state"] for job_id in ids.values()} == {"SUCCEEDED"}
    return {name: stored(moto_s3, bucket, name) for name in CONFIGS}


def stored(service: S3Server, bucket: str, key: str) -> tuple[Json, str]:
    found = service.client().get_object(Bucket=bucket, Key=key)
    return parsed(found["Body"].read()), found["ContentType"]


def segments_of(documents: dict[str, tuple[Json, str]], name: str) -> list[Json]:
    segments: list[Json] = documents[name][0]["result"]["segments"]
    assert segments
    return segments


def is_number(value: Any) -> bool:
    return type(value) in (int, float)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_document_is_json_without_nulls(documents: dict[str, tuple[Json, str]], name: str) -> None:
    document, content_type = documents[name]
    assert content_type == "application/json"
    check_no_nulls(document)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_document_has_what_clients_require(documents: dict[str, tuple[Json, str]], name: str) -> None:
    document = documents[name][0]
    assert isinstance(document["request_id"], str)
    assert document["request_id"]
    assert document["duration_sec"] == DURATION_SEC
    assert isinstance(document["model"], str)
    assert isinstance(document["result"]["text_display"], str)
    assert isinstance(document["result"]["text_lexical"], str)


@pytest.mark.parametrize("name", CONFIGS)
def test_no_document_has_what_only_tolerant_readers_guess(documents: dict[str, tuple[Json, str]], name: str) -> None:
    document = documents[name][0]
    assert "metrics" not in document
    assert not {"text", "utterances", "words"} & set(document["result"])
    for segment in document["result"].get("segments", []):
        assert not {"start_time", "start_sec", "text_display", "confidence"} & set(segment)


def test_the_lexical_text_is_lower_case_without_punctuation(documents: dict[str, tuple[Json, str]]) -> None:
    result = documents["plain"][0]["result"]
    assert result["text_lexical"] == result["text_lexical"].lower()
    assert not set(".,!?;:") & set(result["text_lexical"])


@pytest.mark.parametrize("name", ["plain", "words", "stereo apart", "mono apart", "stereo together"])
def test_segments_have_ids_and_seconds_in_order(documents: dict[str, tuple[Json, str]], name: str) -> None:
    segments = segments_of(documents, name)
    assert segments[0]["id"] == "seg_0001"
    assert len({segment["id"] for segment in segments}) == len(segments)
    for segment in segments:
        assert is_number(segment["start"])
        assert is_number(segment["end"])
        assert 0 <= segment["start"] <= segment["end"] <= DURATION_SEC
        assert isinstance(segment["text"], str)
    assert all(first["start"] <= second["start"] for first, second in pairwise(segments))


def test_the_display_text_is_that_of_the_segments(documents: dict[str, tuple[Json, str]]) -> None:
    texts = [segment["text"] for segment in segments_of(documents, "plain")]
    assert documents["plain"][0]["result"]["text_display"] == " ".join(texts)


@pytest.mark.parametrize("name", ["no timestamps", "words but no timestamps"])
def test_without_timestamps_there_are_no_segments(documents: dict[str, tuple[Json, str]], name: str) -> None:
    result = documents[name][0]["result"]
    assert "segments" not in result
    assert result["text_display"]


def test_words_are_included_only_on_request(documents: dict[str, tuple[Json, str]]) -> None:
    assert not [segment for segment in segments_of(documents, "plain") if "words" in segment]


def test_words_have_seconds_inside_their_segment_and_are_a_hundred_at_most(
    documents: dict[str, tuple[Json, str]],
) -> None:
    for segment in segments_of(documents, "words"):
        assert 1 <= len(segment["words"]) <= 100
        for word in segment["words"]:
            assert set(word) == {"word", "start", "end"}
            assert segment["start"] <= word["start"] <= word["end"] <= segment["end"]


def test_two_channels_are_labeled_left_and_right(documents: dict[str, tuple[Json, str]]) -> None:
    segments = segments_of(documents, "stereo apart")
    assert {(segment["channel"], segment["speaker"]) for segment in segments} == {(0, "Speaker 1L"), (1, "Speaker 1R")}


def test_one_channel_has_a_number_and_no_speaker(documents: dict[str, tuple[Json, str]]) -> None:
    segments = segments_of(documents, "mono apart")
    assert {segment["channel"] for segment in segments} == {0}
    assert not [segment for segment in segments if "speaker" in segment]


@pytest.mark.parametrize("name", ["plain", "stereo together"])
def test_speakers_are_not_labeled_by_default(documents: dict[str, tuple[Json, str]], name: str) -> None:
    assert not [segment for segment in segments_of(documents, name) if {"channel", "speaker"} & set(segment)]


def test_the_model_is_the_one_that_was_used_not_the_one_that_was_wished_for(
    documents: dict[str, tuple[Json, str]],
) -> None:
    assert documents["wish"][0]["model"] == documents["plain"][0]["model"] != "zoom-scribe-multilingual"


def test_noise_without_speech_gives_an_empty_transcript(documents: dict[str, tuple[Json, str]]) -> None:
    result = documents["speech only"][0]["result"]
    assert (result["text_display"], result["text_lexical"], result["segments"]) == ("", "", [])
