"""Plots of bars, and the words of amounts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from batchscribe.database.usage_rows import Usage, UsageDay
from batchscribe.web.bar_plot import HEIGHT, WIDTH, nice_step, plot_bars
from batchscribe.web.usage_page import fill_days, plot_durations
from batchscribe.web.wording import clock, duration, instant, minute, shown_name, shown_uri, size


def test_bars_stand_on_the_ground_and_fit_below_the_top_of_the_scale() -> None:
    plot = plot_bars(["a", "b", "c"], [0.0, 3.0, 7.5], unit="h")
    assert [bar.name for bar in plot.bars] == ["b", "c"]
    assert all(bar.y + bar.height == pytest.approx(HEIGHT) for bar in plot.bars)
    assert plot.bars[1].height / plot.bars[0].height == pytest.approx(2.5)
    assert plot.steps == [(160.0, "0"), (120.0, "2"), (80.0, "4"), (40.0, "6"), (0.0, "8")]
    assert plot.bars[-1].x + plot.bars[-1].width < WIDTH


def test_a_plot_without_values_has_a_scale() -> None:
    assert plot_bars(["a"], [0.0], unit="h").bars == []
    assert plot_bars([], [], unit="h").steps == [(160.0, "0"), (0.0, "1")]


@pytest.mark.parametrize("most", [1e-7, 0.03, 1.0, 7.5, 99.0, 1234.5, 9e9])
def test_the_scale_has_a_few_round_steps(most: float) -> None:
    assert 1.6 <= most / nice_step(most) <= 4
    assert f"{nice_step(most):e}"[0] in "125"


def test_a_year_has_a_few_names_only() -> None:
    assert len(plot_bars([str(number) for number in range(365)], [1.0] * 365, unit="h").names) <= 6


def test_every_day_of_a_span_is_there() -> None:
    used = UsageDay(date(2026, 2, 28), Usage(files=1, audio_sec=60.0))
    days = fill_days([used], date(2026, 2, 27), date(2026, 3, 1))
    assert [each.day.day for each in days] == [27, 28, 1]
    assert [each.usage.files for each in days] == [0, 1, 0]


def test_durations_are_plotted_in_a_unit_that_suits_them() -> None:
    assert plot_durations(["a"], [7200.0]).unit == "hours"
    assert plot_durations(["a"], [90.0]).unit == "minutes"
    assert plot_durations(["a"], [0.0]).unit == "seconds"


def test_amounts_in_words() -> None:
    assert [duration(each) for each in (0, 0.3, 59.6, 61, 3600, 90_000)] == [
        "0 s", "under 1 s", "1 min 00 s", "1 min 01 s", "1 h 00 min", "1 d 1 h",
    ]  # fmt: skip
    assert [clock(each) for each in (0, 61.9, 3723)] == ["0:00", "1:01", "1:02:03"]
    assert [size(each) for each in (0, 999, 1000, 123_456, 5e9, 5e15)] == [
        "0 B", "999 B", "1.0 kB", "123 kB", "5.0 GB", "5,000 TB",
    ]  # fmt: skip
    moment = datetime(2026, 1, 5, 12, 0, 9, tzinfo=UTC)
    assert (minute(moment), instant(moment.timestamp())) == ("2026-01-05 12:00 UTC", "2026-01-05T12:00:09Z")


def test_a_uri_is_shown_without_its_signature_and_encoding() -> None:
    assert shown_uri("https://host/a%20b.wav?signature=secret#1") == "https://host/a%20b.wav"
    assert shown_uri("file:///calls/a%20b%FF.wav") == "/calls/a b\ufffd.wav"
    assert shown_name("s3://bucket/calls/2026/") == "2026"
    assert shown_name("s3://bucket/a%20b.wav") == "a%20b.wav"
