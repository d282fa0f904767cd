"""Include and exclude globs below a prefix (contract 6). `found` submits all jobs at once."""

from __future__ import annotations

import pytest

from tests.contract.bodies import changed, prefix
from tests.contract.client import Client
from tests.contract.conftest import NewDatabase
from tests.servers.s3_server import S3Server

KEYS = ("a.wav", "b_draft.wav", "C.WAV", "d.mp3", "sub/e.wav", "sub/f_draft.wav", "sub/deep/g.wav", "sub/deep/h1.wav")
RECORDINGS = set(KEYS)

#: Include globs, exclude globs, and the remaining files.
CASES: dict[str, tuple[list[str], list[str], set[str]]] = {
    "none": ([], [], RECORDINGS),
    "everything": (["**"], [], RECORDINGS),
    "double star matches the top": (["**/*.wav"], [], RECORDINGS - {"C.WAV", "d.mp3"}),
    "a bare pattern matches at any depth": (["*.wav"], [], RECORDINGS - {"C.WAV", "d.mp3"}),
    "a star stops at a slash": (["sub/*.wav"], [], {"sub/e.wav", "sub/f_draft.wav"}),
    "a double star does not": (["sub/**/*.wav"], [], {key for key in KEYS if key.startswith("sub/")}),
    "a question mark is one character": (["sub/deep/?.wav"], [], {"sub/deep/g.wav"}),
    "case matters": (["*.WAV"], [], {"C.WAV"}),
    "exclude wins over include": (
        ["*.wav"],
        ["*_draft.*"],
        {"a.wav", "sub/e.wav", "sub/deep/g.wav", "sub/deep/h1.wav"},
    ),
    "exclude alone": ([], ["sub/**"], {"a.wav", "b_draft.wav", "C.WAV", "d.mp3"}),
    "several includes add up": (["a.*", "d.*"], [], {"a.wav", "d.mp3"}),
    "relative to the prefix": (["calls/**"], [], set()),
}


@pytest.fixture(scope="module")
def bucket(new_database: NewDatabase, moto_s3: S3Server, wav: bytes) -> str:
    """One bucket per database, because existing transcripts would affect the next jobs."""
    objects = {f"calls/{key}": wav for key in KEYS}
    return moto_s3.new_bucket(**objects, **{"calls/": b"", "calls/sub/": b"", "calls/notes.txt": b"x"})


@pytest.fixture(scope="module")
def found(alice: Client, moto_s3: S3Server, bucket: str) -> dict[str, dict[str, str]]:
    """The state of each file that has a row, by the name of the case."""
    ids = {}
    for name, (include, exclude, _) in CASES.items():
        filters = {"include_globs": include, "exclude_globs": exclude}
        body = prefix(f"s3://{bucket}/calls/", f"s3://{moto_s3.new_bucket()}/")
        ids[name] = alice.submit(changed(body, {"input.filters": filters}))
    for job_id in ids.values():
        alice.ended(job_id)
    start = f"s3://{bucket}/calls/"
    return {
        name: {file["input_uri"].removeprefix(start): file["state"] for file in alice.files(job_id)}
        for name, job_id in ids.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_the_globs_decide_which_files_are_meant(found: dict[str, dict[str, str]], name: str) -> None:
    assert {key for key, state in found[name].items() if state == "FILE_SUCCEEDED"} == CASES[name][2]


def test_what_is_left_out_has_no_row(found: dict[str, dict[str, str]]) -> None:
    assert set(found["case matters"]) == {"C.WAV"}


def test_a_file_that_is_not_a_recording_has_a_row_unless_it_is_excluded(found: dict[str, dict[str, str]]) -> None:
    assert found["none"]["notes.txt"] == "FILE_SKIPPED"
    assert "notes.txt" not in found["double star matches the top"]


def test_empty_folder_markers_are_not_files(found: dict[str, dict[str, str]]) -> None:
    assert not [key for states in found.values() for key in states if key.endswith("/") or key == ""]
