"""When a webhook is retried."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.webhooks.payload import MAX_DELAY_SEC, parse_retry_after, retry_delay_sec

MOMENT = 1_767_638_052.0  #: Mon, 05 Jan 2026 18:34:12 GMT


def longest() -> float:
    return 1.0


def shortest() -> float:
    return 0.0


def delays(jitter: Callable[[], float], retry_after_sec: float | None = None) -> list[float]:
    return [
        retry_delay_sec(attempt, first_sec=5, retry_after_sec=retry_after_sec, jitter=jitter)
        for attempt in range(1, 16)
    ]


def test_delays_double_from_the_first_up_to_six_hours() -> None:
    doubled = [5.0 * 2**n for n in range(13)]
    assert delays(longest) == [*doubled, MAX_DELAY_SEC, MAX_DELAY_SEC]


def test_the_jitter_never_takes_more_than_half() -> None:
    assert delays(shortest) == [delay / 2 for delay in delays(longest)]


def test_by_default_two_delays_are_not_the_same() -> None:
    assert len({retry_delay_sec(10, first_sec=5, retry_after_sec=None) for _ in range(10)}) > 1


def test_a_receiver_may_ask_for_a_longer_delay_but_not_for_a_shorter_one() -> None:
    assert delays(shortest, retry_after_sec=60) == [max(60.0, delay) for delay in delays(shortest)]


def test_a_receiver_cannot_ask_for_more_than_six_hours() -> None:
    assert set(delays(longest, retry_after_sec=1e9)) == {MAX_DELAY_SEC}


@given(
    attempt=st.integers(1, 10**6),
    first_sec=st.floats(0.001, 1e6),
    asked=st.none() | st.floats(0, allow_infinity=True),
    jitter=st.floats(0, 1),
)
def test_a_delay_is_never_zero_and_never_above_six_hours(
    attempt: int, first_sec: float, asked: float | None, jitter: float
) -> None:
    delay = retry_delay_sec(attempt, first_sec=first_sec, retry_after_sec=asked, jitter=lambda: jitter)
    assert 0 < delay <= MAX_DELAY_SEC


@pytest.mark.parametrize(
    ("header", "asked_sec"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("9" * 500, MAX_DELAY_SEC),
        ("Mon, 05 Jan 2026 18:35:12 GMT", 60.0),
        ("Mon, 05 Jan 2026 18:35:12 -0000", 60.0),
        ("Mon, 05 Jan 2026 18:00:00 GMT", 0.0),
        ("Mon, 05 Jan 2099 18:35:12 GMT", MAX_DELAY_SEC),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Mon, 05 Jan 2026 18:35:12 +999999999999999999", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: str, asked_sec: float | None) -> None:
    assert parse_retry_after(header, moment=MOMENT) == asked_sec


@given(st.text(st.characters(max_codepoint=255)))
def test_no_header_is_too_odd_to_be_read(header: str) -> None:
    asked = parse_retry_after(header, moment=MOMENT)
    assert asked is None or 0 <= asked <= MAX_DELAY_SEC
