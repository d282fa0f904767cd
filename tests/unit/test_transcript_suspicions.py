"""The warnings about a transcript's own text."""

from __future__ import annotations

import pytest

from batchscribe.transcript.segments import RecognizedWindow
from batchscribe.transcript.suspicions import suspicions
from batchscribe.window import Flag, Phrase, Recognition


def window(
    start_sec: float, *phrases: Phrase, left_out: tuple[tuple[float, float], ...] = (), channel: int = 0
) -> RecognizedWindow:
    return RecognizedWindow(channel, start_sec, 30.0, Recognition(phrases, left_out))


def doubtful(start_sec: float, *flags: Flag) -> Phrase:
    return Phrase("perhaps", start_sec, start_sec + 1.0, flags=flags)


def test_text_without_doubts_has_no_warning() -> None:
    assert list(suspicions([window(0.0, doubtful(1.0)), window(30.0)])) == []


def test_one_doubtful_phrase_is_reported_with_its_place_and_reason() -> None:
    assert list(suspicions([window(60.0, doubtful(0.5), doubtful(1.25, Flag.NO_SPEECH))])) == [
        "Text is doubtful in 1 place, at 61.2 s: no_speech. The segments there carry these flags."
    ]


def test_several_doubtful_phrases_share_one_sentence_with_the_first_place_and_every_reason() -> None:
    windows = [
        window(60.0, doubtful(2.0, Flag.REPETITION)),
        window(0.0, doubtful(7.0, Flag.LOW_CONFIDENCE, Flag.REPETITION), doubtful(9.0, Flag.LOW_CONFIDENCE)),
    ]
    [told] = suspicions(windows)
    assert told == (
        "Text is doubtful in 3 places, the first at 7.0 s: low_confidence, repetition. "
        "The segments there carry these flags."
    )


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        ([(1.0, 2.0)], "Text that the engine invented was removed in 1 place, at 31.0 s."),
        ([(1.0, 2.0), (5.0, 9.0)], "Text that the engine invented was removed in 2 places, the first at 31.0 s."),
    ],
)
def test_removed_text_is_reported_with_its_place(spans: list[tuple[float, float]], told: str) -> None:
    assert list(suspicions([window(30.0, left_out=tuple(spans))])) == [told]


def test_the_warnings_do_not_depend_on_the_order_of_the_windows() -> None:
    windows = [
        window(30.0, doubtful(1.0, Flag.LOW_SPEECH), left_out=((2.0, 3.0),)),
        window(0.0, doubtful(5.0, Flag.NO_SPEECH), left_out=((8.0, 9.0),)),
        window(0.0, doubtful(4.0, Flag.REPETITION), left_out=((7.0, 8.0),), channel=1),
    ]
    told = list(suspicions(windows))
    assert list(suspicions(reversed(windows))) == told
    assert len(told) == 2
