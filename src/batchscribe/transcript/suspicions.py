"""Warnings about unreliable text in a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from batchscribe.transcript.segments import RecognizedWindow


def suspicions(recognized: Iterable[RecognizedWindow]) -> Iterator[str]:
    """Yield the warnings. The order of the windows does not matter."""
    windows = sorted(recognized, key=lambda window: (window.start_sec, window.channel))
    doubtful = [
        (window.start_sec + phrase.start_sec, phrase)
        for window in windows
        for phrase in window.recognition.phrases
        if phrase.flags
    ]
    if doubtful:
        names = ", ".join(sorted({flag for _, phrase in doubtful for flag in phrase.flags}))
        places = _places(len(doubtful), doubtful[0][0])
        yield f"Text is doubtful in {places}: {names}. The segments there carry these flags."
    left_out = [window.start_sec + start for window in windows for start, _ in window.recognition.left_out]
    if left_out:
        yield f"Text that the engine invented was removed in {_places(len(left_out), left_out[0])}."


def _places(count: int, first_sec: float) -> str:
    where = f"at {first_sec:.1f} s"
    return f"1 place, {where}" if count == 1 else f"{count} places, the first {where}"
