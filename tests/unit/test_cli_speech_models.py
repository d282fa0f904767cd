"""How models and pulls are shown."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from batchscribe.cli.present.speech_models import PullNotes, describe_check, describe_origin, format_megabytes
from batchscribe.models.origin import FileRecord, Origin, Standard


def origin(**standards: Standard | None) -> Origin:
    files = {
        name: FileRecord(size_bytes=1, sha256="0" * 64, checked_against=against) for name, against in standards.items()
    }
    return Origin(repository="somebody/else", source="hub", files=files)


@pytest.mark.parametrize(
    ("standards", "told"),
    [
        ({}, "not checked"),
        ({"weights": None}, "not checked"),
        ({"weights": "pinned", "config": "pinned"}, "checked against the publisher's hashes"),
        ({"weights": "hub"}, "checked against the hub's hashes"),
        ({"weights": "pinned", "config": "hub"}, "checked against the publisher's hashes and the hub's hashes"),
        ({"weights": "pinned", "config": None}, "checked against the publisher's hashes (weights)"),
    ],
)
def test_a_model_shows_what_its_files_were_checked_against(standards: dict[str, Standard | None], told: str) -> None:
    assert describe_check(origin(**standards)) == told


def test_a_model_shows_its_publisher_and_its_source() -> None:
    assert describe_origin(origin()) == "somebody/else, from the hub"
    assert describe_origin(Origin(source="folder", places=("/copy",))) == "/copy"
    assert describe_origin(Origin()) == "unknown"


@pytest.mark.parametrize(
    ("done", "total", "told"),
    [(0, None, ""), (43_400_000, 66_300_000, "43 of 66 MB"), (5_000_000, None, "5 MB"), (100, 2_000, "")],
)
def test_progress_is_shown_in_megabytes(done: int, total: int | None, told: str) -> None:
    assert format_megabytes(done, total) == told


def test_a_log_gets_notes_and_no_progress() -> None:
    written = io.StringIO()
    notes = PullNotes(Console(file=written, soft_wrap=True))
    notes.step("Downloading", 1, 2)
    notes.note("Trying the Python index.\x1b[2J")
    assert written.getvalue() == "Trying the Python index.\N{REPLACEMENT CHARACTER}[2J\n"
