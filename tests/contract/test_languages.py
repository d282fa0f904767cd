"""The language of a recording: named, or detected (`config.language_detection`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import detecting
from tests.contract.bodies import single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.strict import Json, parsed
from tests.recordings import write_wav

DURATION_SEC = 65.5
CONFIGS: dict[str, Json] = {
    "named": {"language": "en-US"},
    "named rightly": {"language": "de"},
    "once": {"language_detection": {"mode": "once"}},
    "continuous": {"language_detection": {"mode": "continuous"}},
    "off": {"language_detection": False},
}


@pytest.mark.parametrize("mode", ["once", "continuous"])
def test_detection_is_refused_where_no_engine_can_tell_languages_apart(alice: Client, mode: str) -> None:
    answer = alice.refused(single(config={"language_detection": {"mode": mode}}))
    assert answer.reason == "OPTION_NOT_AVAILABLE"
    assert answer.fields == ["config.language_detection"]
    assert "language_detection" in str(answer.body["errors"])


@pytest.mark.parametrize("mode", ["once", "continuous"])
def test_a_dry_run_refuses_it_too(alice: Client, mode: str) -> None:
    answer = alice.refused(single(config={"language_detection": {"mode": mode}}), dry_run="true")
    assert (answer.reason, answer.fields) == ("OPTION_NOT_AVAILABLE", ["config.language_detection"])


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (True, "config.language_detection"),
        ("once", "config.language_detection"),
        ([], "config.language_detection"),
        ({}, "config.language_detection.mode"),
        ({"mode": "sometimes"}, "config.language_detection.mode"),
        ({"mode": ["once"]}, "config.language_detection.mode"),
        ({"languages": ["en-US"]}, "config.language_detection.mode"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused_by_its_field(idle: Client, wish: object, field: str) -> None:
    answer = idle.refused(single(config={"language_detection": wish}))
    assert (answer.reason, answer.fields) == ("VALIDATION_FAILED", [field])


# --- on a server whose engine detects languages ------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector(start_server: StartServer) -> Iterator[Client]:
    """A tenant of such a server."""
    server = start_server(program=Path(detecting.__file__))
    with client_of(server, server.new_key("alice")) as client:
        yield client


@pytest.fixture(scope="module")
def jobs(detector: Client, recordings: Path) -> dict[str, Json]:
    """The ended job of each configuration; its transcript is in the folder of recordings under its name."""
    recording = write_wav(recordings / "languages" / "call.wav", duration_sec=DURATION_SEC)
    ids = {}
    for name, config in CONFIGS.items():
        body: Json = {
            "input": {"uri": recording.as_uri()},
            "output": {"uri": (recording.parent / f"{name}.json").as_uri(), "overwrite": True},
            "config": {"segmentation_mode": "none"} | config,
        }
        ids[name] = detector.submit(body)
    return {name: detector.ended(job_id) for name, job_id in ids.items()}


@pytest.fixture
def documents(jobs: dict[str, Json], recordings: Path) -> dict[str, Json]:
    return {name: parsed((recordings / "languages" / f"{name}.json").read_bytes()) for name in jobs}


def segments_of(document: Json) -> list[Json]:
    segments: list[Json] = document["result"]["segments"]
    assert segments
    return segments


@pytest.mark.parametrize("mode", ["once", "continuous"])
def test_the_mode_is_echoed(jobs: dict[str, Json], mode: str) -> None:
    assert jobs[mode]["state"] == "SUCCEEDED"
    assert jobs[mode]["config"]["language_detection"] == {"mode": mode}
    assert jobs[mode]["config"]["language"] == "en-US"


@pytest.mark.parametrize("name", ["named", "off"])
def test_without_detection_none_is_echoed(jobs: dict[str, Json], name: str) -> None:
    assert "language_detection" not in jobs[name]["config"]


@pytest.mark.parametrize("mode", ["once", "continuous"])
def test_each_segment_and_the_metadata_tell_the_language_that_was_detected(
    documents: dict[str, Json], mode: str
) -> None:
    assert {segment["language"] for segment in segments_of(documents[mode])} == {"de"}
    metadata = documents[mode]["metadata"]
    assert metadata["language"] == "de"
    assert metadata["languages"] == {"de": DURATION_SEC}
    assert not [warning for warning in metadata["warnings"] if "language" in warning]


@pytest.mark.parametrize("name", ["named", "named rightly", "off"])
def test_without_detection_no_language_is_reported(documents: dict[str, Json], name: str) -> None:
    assert not [segment for segment in segments_of(documents[name]) if "language" in segment]
    assert not {"language", "languages"} & documents[name]["metadata"].keys()


def test_a_recording_in_another_language_than_the_one_named_has_a_warning(
    detector: Client, jobs: dict[str, Json], documents: dict[str, Json]
) -> None:
    told = [warning for warning in documents["named"]["metadata"]["warnings"] if "is in de, but" in warning]
    assert len(told) == 1
    assert "language detection" in told[0]
    [file] = detector.files(jobs["named"]["job_id"])
    assert file["warnings"] == told
    [other] = detector.files(jobs["named rightly"]["job_id"])
    assert not other.get("warnings")
