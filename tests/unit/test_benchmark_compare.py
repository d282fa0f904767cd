"""What the comparison of two revisions reads from the output of a benchmark."""

from __future__ import annotations

import pytest
from benchmarks.compare import Comparison, parse
from benchmarks.report import Figure, show


def test_the_figures_that_a_measurement_prints_are_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [
        Figure("whole flow, CPU per file", "12.5 ms"),
        Figure("whole flow : bare", "1.30", "at most 1.50"),
        Figure("files on record", "1,000,000"),
        Figure("of that core the server used", "97%", "the rest"),
        Figure("begins", "within a second"),
    ]
    show("A title", figures)
    assert parse(capsys.readouterr().out) == {
        "whole flow, CPU per file": (12.5, " ms"),
        "whole flow : bare": (1.3, ""),
        "files on record": (1_000_000.0, ""),
        "of that core the server used": (97.0, "%"),
    }


def test_a_row_shows_both_medians_and_their_ratio() -> None:
    assert Comparison("CPU per file", 8.0, 10.0, " ms").row == "| CPU per file | 8 ms | 10 ms | 1.25 |"
    assert Comparison("failures", 0.0, 0.0, "").row == "| failures | 0 | 0 | - |"
