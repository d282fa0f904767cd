"""The next step that pages show with the error of a file or a job."""

from __future__ import annotations

import re

from batchscribe.web.next_steps import NEXT_STEPS, next_step
from tests.documents import ROOT, table_rows

ERRORS = ROOT / "docs" / "errors.md"
#: The sections of the document with the errors that a file or a job may end with.
OUTCOMES = ("## Storage", "## Recordings", "## Speech", "## Diarization", "## Whole jobs and final errors")


def test_there_is_a_step_for_every_error_of_a_file_or_a_job() -> None:
    codes = [row[0].strip("`") for section in OUTCOMES for row in table_rows(ERRORS, section)]
    assert sorted(NEXT_STEPS) == sorted(codes)


def test_every_step_is_a_sentence_for_a_person_without_a_terminal() -> None:
    for code, step in NEXT_STEPS.items():
        assert step.endswith("."), code
        assert not re.search(r"`|--|BATCHSCRIBE_|same command", step), code


def test_an_error_of_a_later_release_has_no_step() -> None:
    assert next_step("NEW_ERROR") == ""
