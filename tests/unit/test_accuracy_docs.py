"""The accuracy figures are the same in docs/accuracy.md, README.md and the warning."""

from __future__ import annotations

import re

import pytest
from benchmarks.speech.page import PAGE, page
from benchmarks.speech.readme import README, quoted
from benchmarks.speech.results import load

from batchscribe.speech.pocketsphinx import LOW_ACCURACY

#: Maximum rounding error of "about", in percentage points.
ABOUT = 3.0
QUOTED = {"clean read speech": "clean-read", "telephone calls": "telephony-8k"}


def test_the_page_is_made_from_the_kept_results() -> None:
    """If not: `python -m benchmarks.speech --render`."""
    assert PAGE.read_text() == page(load())


def test_the_readme_quotes_what_was_measured() -> None:
    """If not: `python -m benchmarks.speech --render`."""
    assert quoted(load()) in README.read_text()


@pytest.mark.parametrize("kind", QUOTED)
def test_the_warning_about_pocketsphinx_quotes_the_measurement(kind: str) -> None:
    """If this fails, put the figure into `LOW_ACCURACY`, rounded to 5."""
    told = re.search(rf"(\d+) %( of words are wrong)? on {kind}", LOW_ACCURACY)
    assert told, LOW_ACCURACY
    measured = load().model("pocketsphinx").category(QUOTED[kind])
    assert measured is not None
    assert float(told[1]) == pytest.approx(100 * measured.flow.value, abs=ABOUT)
