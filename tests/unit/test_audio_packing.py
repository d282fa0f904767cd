"""Neighboring stretches of speech share a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchscribe.audio.packing import MAX_PAUSE_SEC, SHORT_PAUSE_SEC, Packer
from batchscribe.audio.speech_spans import Span, Stretch
from batchscribe.window import SAMPLE_RATE

WINDOW_SEC = 30.0
PAD = SAMPLE_RATE // 10


def stretch(start_sec: float, end_sec: float) -> Stretch:
    """With 0.1 s of padding on both sides of the speech."""
    start, end = round(start_sec * SAMPLE_RATE), round(end_sec * SAMPLE_RATE)
    return Stretch(start, end, (Span(start + PAD, end - PAD),))


def packed(stretches: Sequence[Stretch], window_sec: float = WINDOW_SEC) -> list[Stretch]:
    packer = Packer(window_sec)
    return [window for each in stretches for window in packer.accept(each)] + packer.finish()


def test_sentences_with_short_pauses_share_a_window_with_the_pauses_between_them() -> None:
    first, second, third = stretch(1.0, 4.0), stretch(4.5, 9.0), stretch(11.0, 12.0)
    assert packed([first, second, third]) == [
        Stretch(first.start, third.end, first.speech + second.speech + third.speech)
    ]


def test_a_window_ends_before_the_stretch_that_would_make_it_too_long() -> None:
    stretches = [stretch(10.0 * n, 10.0 * n + 9.0) for n in range(7)]
    assert [(window.start, window.end) for window in packed(stretches)] == [
        (stretches[0].start, stretches[2].end),
        (stretches[3].start, stretches[5].end),
        (stretches[6].start, stretches[6].end),
    ]


@pytest.mark.parametrize(("samples_more", "windows"), [(0, 1), (1, 2)])
def test_a_window_may_be_full_to_the_last_sample(samples_more: int, windows: int) -> None:
    last = stretch(7.0, 5.0 + WINDOW_SEC)
    assert len(packed([stretch(5.0, 6.0), last._replace(end=last.end + samples_more)])) == windows


@pytest.mark.parametrize(("pause_sec", "windows"), [(MAX_PAUSE_SEC, 1), (MAX_PAUSE_SEC + 0.01, 2)])
def test_a_long_pause_always_ends_a_window(pause_sec: float, windows: int) -> None:
    assert len(packed([stretch(0.0, 2.0), stretch(2.0 + pause_sec, 4.0 + pause_sec)])) == windows


@pytest.mark.parametrize(("pause_sec", "windows"), [(SHORT_PAUSE_SEC, 1), (SHORT_PAUSE_SEC + 0.01, 2)])
def test_the_longest_pause_can_be_shorter(pause_sec: float, windows: int) -> None:
    packer = Packer(WINDOW_SEC, SHORT_PAUSE_SEC)
    stretches = [stretch(0.0, 2.0), stretch(2.0 + pause_sec, 4.0 + pause_sec)]
    settled = [window for each in stretches for window in packer.accept(each)]
    assert len(settled + packer.finish()) == windows


def test_without_a_window_to_fill_nothing_is_joined() -> None:
    stretches = [stretch(0.0, 1.0), stretch(1.0, 2.0), stretch(2.1, 9.0)]
    assert packed(stretches, window_sec=0.0) == stretches


def test_a_window_is_settled_as_soon_as_nothing_more_can_join_it() -> None:
    packer = Packer(WINDOW_SEC)
    first = stretch(0.0, 2.0)
    packer.accept(first)
    near, far = round((2.0 + MAX_PAUSE_SEC) * SAMPLE_RATE), round((2.0 + MAX_PAUSE_SEC) * SAMPLE_RATE) + 1
    assert packer.settle(near) == []
    assert packer.needed_from(near) == first.start
    assert packer.settle(far) == [first]
    assert packer.needed_from(far) == far
    assert packer.settle(far) == packer.finish() == []


def test_a_full_window_is_settled_too() -> None:
    packer = Packer(WINDOW_SEC)
    full = stretch(1.0, WINDOW_SEC)
    packer.accept(full)
    assert packer.settle(round((1.0 + WINDOW_SEC) * SAMPLE_RATE) - 1) == []
    assert packer.settle(round((1.0 + WINDOW_SEC) * SAMPLE_RATE)) == [full]


# --- any speech, however it arrives ------------------------------------------------------------------------------

SAMPLES = st.integers(0, round(1.5 * MAX_PAUSE_SEC * SAMPLE_RATE))
WINDOWS_SEC = st.sampled_from([0.0, 2.0, 10.0, WINDOW_SEC])


@st.composite
def speech(draw: st.DrawFn) -> list[Stretch]:
    """Stretches of at most a window, as a channel has them: in order, apart or side by side."""
    stretches, at = [], 0
    for pause, length in draw(st.lists(st.tuples(SAMPLES, st.integers(1, round(WINDOW_SEC * SAMPLE_RATE))))):
        start, end = at + pause, at + pause + length
        stretches.append(Stretch(start, end, (Span(start, end),)))
        at = end
    return stretches


@given(speech(), WINDOWS_SEC)
def test_windows_hold_all_speech_in_order_and_keep_to_their_limits(stretches: list[Stretch], window_sec: float) -> None:
    windows = packed(stretches, window_sec)
    longest = round(window_sec * SAMPLE_RATE)
    assert [span for window in windows for span in window.speech] == [span for s in stretches for span in s.speech]
    for window in windows:
        assert (window.start, window.end) == (window.speech[0].start, window.speech[-1].end)
        assert window.end - window.start <= longest or len(window.speech) == 1
        assert all(second.start - first.end <= MAX_PAUSE_SEC * SAMPLE_RATE for first, second in pairwise(window.speech))
    for first, second in pairwise(windows):
        pause, joined = second.start - first.end, second.speech[0].end - first.start
        assert pause > MAX_PAUSE_SEC * SAMPLE_RATE or joined > longest, "these two should have been joined"


@given(speech(), WINDOWS_SEC, st.data())
def test_windows_do_not_depend_on_how_the_audio_arrives_and_nothing_that_is_needed_is_let_go(
    stretches: list[Stretch], window_sec: float, data: st.DataObject
) -> None:
    packer = Packer(window_sec)
    windows: list[Stretch] = []
    needed_from = 0

    def take(found: list[Stretch]) -> None:
        assert all(window.start >= needed_from for window in found)
        windows.extend(found)

    for look, following in moments(stretches, data):
        take(packer.settle(look))
        assert packer.needed_from(look) >= needed_from
        needed_from = packer.needed_from(look)
        if following is not None:
            take(packer.accept(following))
    take(packer.finish())
    assert windows == packed(stretches, window_sec)


def moments(stretches: list[Stretch], data: st.DataObject) -> Iterator[tuple[int, Stretch | None]]:
    """In order: samples before which no later stretch begins, and the next stretch, if there is one."""
    at = 0
    for each in stretches:
        for look in sorted(data.draw(st.lists(st.integers(at, each.start), max_size=3))):
            yield look, None
        yield each.start, each
        at = each.end
    yield at + SAMPLE_RATE, None
