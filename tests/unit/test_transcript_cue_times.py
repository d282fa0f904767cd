"""When cues are shown."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from batchscribe.transcript.cue_times import MAX_SHIFT_MS, Spoken, schedule


def test_a_cue_is_shown_during_its_speech() -> None:
    assert schedule([Spoken(1_000, 3_000, 30), Spoken(4_000, 6_000, 30)], 10_000) == [(1_000, 3_000), (4_000, 6_000)]


def test_a_pause_extends_the_cue_of_fast_speech() -> None:
    assert schedule([Spoken(0, 1_000, 60), Spoken(2_000, 3_000, 10)], 10_000) == [(0, 2_000), (2_000, 3_000)]
    assert schedule([Spoken(0, 1_000, 60), Spoken(9_000, 10_000, 10)], 10_000)[0] == (0, 3_000)


def test_every_cue_stays_for_a_second_and_the_next_one_waits_for_it() -> None:
    assert schedule([Spoken(0, 200, 3), Spoken(500, 2_000, 20)], 10_000) == [(0, 1_000), (1_000, 2_000)]


def test_no_cue_stays_for_more_than_seven_seconds() -> None:
    assert schedule([Spoken(0, 30_000, 5)], 40_000) == [(0, 7_000)]


def test_the_last_cues_come_early_enough_to_be_read() -> None:
    assert schedule([Spoken(8_800, 8_900, 5), Spoken(9_900, 10_000, 5)], 10_000) == [(8_000, 9_000), (9_000, 10_000)]


def test_a_gap_too_short_to_be_seen_is_closed() -> None:
    assert schedule([Spoken(0, 2_000, 20), Spoken(2_100, 4_000, 20)], 10_000)[0] == (0, 2_100)


def test_two_long_simultaneous_speakers_take_turns() -> None:
    long, short = Spoken(0, 5_000, 75), Spoken(2_000, 2_300, 5)
    assert schedule([long, short], 10_000) == [(0, 3_750), (3_750, 4_750)]
    assert schedule([Spoken(0, 5_000, 80), Spoken(500, 5_500, 80)], 6_000) == [(0, 2_750), (2_750, 6_000)]


def test_a_crowd_is_shown_one_by_one_and_later_speech_catches_up() -> None:
    crowd = [Spoken(10_000, 10_100, 10)] * 3
    assert schedule([*crowd, Spoken(10_500, 14_000, 40), Spoken(14_000, 17_000, 40)], 30_000) == [
        (10_000, 11_000),
        (11_000, 12_000),
        (12_000, 13_000),
        (13_000, 14_000),
        (14_000, 17_000),
    ]


def test_more_than_can_be_shown_shares_the_time_that_there_is() -> None:
    times = schedule([Spoken(0, 100, 80)] * 8, 2_000)
    assert [end - start for start, end in times] == [250] * 8


@given(
    st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 9_000), st.integers(0, 108)), max_size=40),
    st.integers(0, 80_000),
)
def test_cues_never_overlap_and_are_near_their_speech(said: list[tuple[int, int, int]], total_ms: int) -> None:
    spoken = [
        Spoken(min(start, total_ms), min(start + length, total_ms), width) for start, length, width in sorted(said)
    ]
    times = schedule(spoken, total_ms)
    latest_ms = max(total_ms, len(spoken))
    assert all(0 <= start < end <= min(latest_ms, start + 7_000) for start, end in times)
    assert all(end <= following for (_, end), (following, _) in pairwise(times))
    for each, (start, _) in zip(spoken, times, strict=True):
        assert abs(start - each.start_ms) <= MAX_SHIFT_MS + len(spoken)
