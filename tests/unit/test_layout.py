"""Where transcripts go, and that they replace neither each other nor recordings."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.jobs.layout import OutputNames, fits, names_for, planned_output, writes_among_inputs
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.wire.choices import OutputLayout

FOLDER = Source(SourceKind.PREFIX, "s3://in/audio/")
LOCAL_FOLDER = Source(SourceKind.PREFIX, "file:///in/my%20audio/")


def single(uri: str) -> Source:
    return Source(SourceKind.FILE, uri)


@pytest.mark.parametrize(
    ("input_uri", "output_uri", "expected"),
    [
        ("s3://in/audio/2025/11/call_0001.wav", "s3://out/transcripts/", "s3://out/transcripts/2025/11/call_0001.json"),
        ("s3://in/audio/a.wav", "s3://out/transcripts", "s3://out/transcripts/a.json"),
        ("s3://in/audio/a.wav", "s3://out", "s3://out/a.json"),
        ("s3://in/audio/a.b.wav", "s3://out/", "s3://out/a.b.json"),
        ("s3://in/audio/.hidden.wav", "s3://out/", "s3://out/.hidden.json"),
        ("s3://in/audio/x.d/noext", "s3://out/", "s3://out/x.d/noext.json"),
        ("s3://in/audio/100%25 a?.wav", "s3://out/", "s3://out/100%25 a?.json"),
        ("s3://in/audio/x//a.wav", "s3://out/", "s3://out/x//a.json"),
        # to the file system: encoded, and never out of the folder
        ("s3://in/audio/ü b/100%25.wav", "file:///out", "file:///out/%C3%BC%20b/100%2525.json"),
        ("s3://in/audio/../..//./a.wav", "file:///out/", "file:///out/a.json"),
    ],
)
def test_layout_prefix_keeps_the_folders_below_the_prefix(input_uri: str, output_uri: str, expected: str) -> None:
    assert planned_output(input_uri, FOLDER, OutputLayout.PREFIX, output_uri, ".json") == expected


@pytest.mark.parametrize(
    ("output_uri", "expected"),
    [("s3://out/", "s3://out/x y/a%b.json"), ("file:///out/", "file:///out/x%20y/a%25b.json")],
)
def test_local_names_are_decoded_for_s3_and_stay_encoded_on_disk(output_uri: str, expected: str) -> None:
    uri = "file:///in/my%20audio/x%20y/a%25b.wav"
    assert planned_output(uri, LOCAL_FOLDER, OutputLayout.PREFIX, output_uri, ".json") == expected


def test_a_local_name_that_is_not_utf_8_becomes_a_valid_key() -> None:
    uri = "file:///in/my%20audio/%FFa.wav"
    assert (
        planned_output(uri, LOCAL_FOLDER, OutputLayout.PREFIX, "s3://out/", ".json")
        == "s3://out/\N{REPLACEMENT CHARACTER}a.json"
    )
    assert planned_output(uri, LOCAL_FOLDER, OutputLayout.PREFIX, "file:///out/", ".json") == "file:///out/%FFa.json"


@pytest.mark.parametrize(
    ("input_uri", "expected"),
    [
        ("s3://in/audio/2025/a.wav", "s3://out/t/a.json"),
        ("https://host/2025/a%20b.wav?X-Amz-Signature=marked", "s3://out/t/a b.json"),
        ("file:///in/a%20b.wav", "s3://out/t/a b.json"),
    ],
)
def test_layout_prefix_gives_a_file_named_by_itself_its_name_alone(input_uri: str, expected: str) -> None:
    assert planned_output(input_uri, single(input_uri), OutputLayout.PREFIX, "s3://out/t", ".json") == expected


@pytest.mark.parametrize(
    ("input_uri", "expected"),
    [
        ("s3://in/audio/x/a.b.wav", "s3://in/audio/x/a.b.json"),
        ("s3://in/a%20.wav", "s3://in/a%20.json"),
        ("file:///in/my%20audio/a%20b.wav", "file:///in/my%20audio/a%20b.json"),
        ("file:///a.wav", "file:///a.json"),
    ],
)
def test_layout_adjacent_writes_next_to_the_recording(input_uri: str, expected: str) -> None:
    assert planned_output(input_uri, FOLDER, OutputLayout.ADJACENT, "", ".json") == expected


def test_layout_single_is_the_exact_uri() -> None:
    uri = "s3://in/a.wav"
    assert planned_output(uri, single(uri), OutputLayout.SINGLE, "s3://out/any name", ".json") == "s3://out/any name"


# --- collisions ------------------------------------------------------------------------------------------------


def claimed(inputs: list[str], taken: set[str] | None = None, layout: OutputLayout = OutputLayout.PREFIX) -> list[str]:
    names = OutputNames((taken or set()).__contains__)
    return [names.claim(planned_output(uri, single(uri), layout, "s3://out/", ".json"), uri) for uri in inputs]


def test_the_first_recording_keeps_the_plain_name() -> None:
    inputs = ["s3://in/a.wav", "s3://in/a.mp3", "s3://in/x/a.mp3", "s3://in/y/a.mp3"]
    assert claimed(inputs) == [
        "s3://out/a.json",
        "s3://out/a.mp3.json",
        "s3://out/a.mp3-2.json",
        "s3://out/a.mp3-3.json",
    ]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://out/" + "k" * 1_024, True),
        ("s3://out/" + "k" * 1_025, False),
        ("s3://out/" + "ü" * 513, False),
        ("file:///out/" + "n" * 255, True),
        ("file:///out/" + "n" * 256, False),
        ("file:///out/" + "%C3%BC" * 127 + "n", True),
        ("file:///out/" + "%C3%BC" * 128, False),
        ("file:///" + "n" * 256 + "/a.json", False),
        ("file:///" + "/".join(["n" * 200] * 9), True),
    ],
)
def test_what_a_storage_takes_depends_on_bytes(uri: str, expected: bool) -> None:
    assert fits(uri) is expected


@pytest.mark.parametrize(
    ("planned", "input_uri", "expected"),
    [
        (
            "s3://out/x/a.json",
            "s3://in/a.wav",
            ["s3://out/x/a.json", "s3://out/x/a.wav.json", "s3://out/x/a.wav-2.json"],
        ),
        ("s3://out/a.wav-7.json", "s3://in/a.wav", ["s3://out/a.json", "s3://out/a.wav.json", "s3://out/a.wav-2.json"]),
        ("file:///o/a%20b.json", "s3://in/a b.wav", ["file:///o/a%20b.json", "file:///o/a%20b.wav.json"]),
        ("s3://out/id.json", "https://host/id#3", ["s3://out/id.json", "s3://out/id-2.json", "s3://out/id-3.json"]),
    ],
)
def test_all_names_of_a_recording_follow_from_any_of_them(planned: str, input_uri: str, expected: list[str]) -> None:
    assert list(islice(names_for(planned, input_uri), len(expected))) == expected


def test_names_handed_out_on_an_earlier_page_stay_taken() -> None:
    taken = {"s3://out/a.json", "s3://out/a.wav.json", "s3://out/a.wav-2.json"}
    assert claimed(["s3://in/a.wav"], taken) == ["s3://out/a.wav-3.json"]


def test_an_input_is_never_written_over() -> None:
    assert claimed(["s3://in/a.wav"], {"s3://in/a.json"}, OutputLayout.ADJACENT) == ["s3://in/a.wav.json"]


def test_a_collision_on_disk_is_spelled_as_a_path() -> None:
    names = OutputNames({"file:///out/a%20b.json"}.__contains__)
    assert names.claim("file:///out/a%20b.json", "s3://in/a b.wav") == "file:///out/a%20b.wav.json"


def test_ten_thousand_files_of_one_name_do_not_try_every_number_each() -> None:
    asked = 0

    def is_taken(_: str) -> bool:
        nonlocal asked
        asked += 1
        return False

    names = OutputNames(is_taken)
    outputs = {names.claim("s3://out/a.json", f"s3://in/{number}/a.wav") for number in range(10_000)}
    assert len(outputs) == 10_000
    assert asked < 20_000


PARTS = st.sampled_from(["a", "b", "a.wav", "a.wav-2", ".", "..", "", "ü b", "100%"])
KEYS = st.tuples(st.lists(PARTS, max_size=3), st.sampled_from(["a.wav", "a.mp3", "a.wav.mp3", "a", "b.wav"]))


@given(st.lists(KEYS, max_size=30), st.sampled_from(["s3://out/t", "file:///out/t"]))
def test_no_two_recordings_ever_share_a_transcript(keys: list[tuple[list[str], str]], output_uri: str) -> None:
    names = OutputNames(lambda _: False)
    uris = ["s3://in/audio/" + "/".join([*folders, name]) for folders, name in keys]
    outputs = [names.claim(planned_output(uri, FOLDER, OutputLayout.PREFIX, output_uri, ".json"), uri) for uri in uris]
    assert len(set(outputs)) == len(outputs)
    assert all(output.startswith(output_uri + "/") and output.endswith(".json") for output in outputs)


@pytest.mark.parametrize(
    ("source", "layout", "output_uri", "expected"),
    [
        (FOLDER, OutputLayout.ADJACENT, "", True),
        (FOLDER, OutputLayout.PREFIX, "s3://in/audio", True),
        (FOLDER, OutputLayout.PREFIX, "s3://in/audio/transcripts/", True),
        (FOLDER, OutputLayout.PREFIX, "s3://in/audio-transcripts/", False),
        (FOLDER, OutputLayout.PREFIX, "s3://out/audio/", False),
        (single("s3://in/a.wav"), OutputLayout.ADJACENT, "", False),
    ],
)
def test_a_job_knows_whether_it_writes_among_its_inputs(
    source: Source, layout: OutputLayout, output_uri: str, expected: bool
) -> None:
    assert writes_among_inputs(source, layout, output_uri) is expected
