"""Listening again where a text is in doubt, until it is beyond doubt or no way is left.

Every way is deterministic, and a window is listened to again by itself, so its text never depends on the windows that
were in the batch with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from batchscribe.speech.doubts import MAX_NO_SPEECH, MISSED_SEC, SURE_LOGPROB, Doubt, plain_words
from batchscribe.speech.whisper_listen import ALL_FRAMES, Take, encode, frames_for, listen
from batchscribe.speech.whisper_model import Decoding, WhisperModel
from batchscribe.window import SAMPLE_RATE, Samples, Window, Word

#: In the full 30 s that Whisper was trained on; then also with no three tokens twice in the same order. On 40 doubtful
#: windows of noisy speech these left 1,201 and 820 wrong words; splitting the window left 1,562, a narrower beam 1,129,
#: a penalty on repetition 833, and sampling at temperatures from 0.2 to 1.0 between 870 and 2,025.
WAYS = (Decoding(), Decoding(no_repeat_ngram=3))
#: The worst first. Without any doubt left, the likeliest text is the best.
SEVERITY = (Doubt.REPEATED, Doubt.TOO_FAST, Doubt.EMPTY, Doubt.SILENT, Doubt.CUT, Doubt.UNSURE)
#: Padding around a stretch that is listened to by itself.
PAD_SEC = 0.3
#: A stretch this much quieter than the speech with words counts as somebody in the background: 15 dB.
BACKGROUND = 10 ** (-15 / 20)
#: A word counts as heard in a span of speech when the model found it at least this likely there.
LIKELY = 0.3


def settle(model: WhisperModel, first: Take, n_frames: int, language: str) -> Take:
    """The best take of a window that was heard in `n_frames` at first."""
    if not first.doubts:
        return first
    encoded = encode(model, first.window, ALL_FRAMES)
    takes = [first]
    for way in WAYS:
        if way == Decoding() and n_frames == ALL_FRAMES:
            continue  # that was the first one
        [take] = listen(model, [encoded], [first.window], language, way)
        takes.append(take)
        if not take.doubts or take.doubts == {Doubt.SILENT}:
            return take
    return min(takes, key=_rank)


def _rank(take: Take) -> tuple[int, float]:
    worst = min((SEVERITY.index(doubt) for doubt in take.doubts), default=len(SEVERITY))
    return -worst, -take.hypothesis.avg_logprob


def find_missed(model: WhisperModel, take: Take, language: str) -> Iterator[tuple[float, Take]]:
    """Stretches of speech that the text passes over, each listened to by itself; only those that leave no doubt.

    Whisper leaves sentences out, of another speaker above all. Yields where each stretch begins in the window.
    """
    for start_sec, end_sec in missed_stretches(take):
        window = _part(take.window, start_sec, end_sec)
        heard = _hear_alone(model, window, language)
        spans = window.speech or ()
        if Doubt.REPEATED in heard.doubts and len(spans) > 1:  # somebody may really repeat himself
            parts = [_padded(start, end, spans, window.duration_sec) for start, end in spans]
            takes = [(start_sec + part[0], _hear_alone(model, _part(window, *part), language)) for part in parts]
        else:
            takes = [(start_sec, heard)]
        yield from ((at_sec, each) for at_sec, each in takes if _is_sure(each))


def _hear_alone(model: WhisperModel, window: Window, language: str) -> Take:
    encoded = encode(model, window, frames_for(window))
    [heard] = listen(model, [encoded], [window], language, Decoding())
    return heard


def _is_sure(take: Take) -> bool:
    hypothesis = take.hypothesis
    is_likely = hypothesis.avg_logprob >= SURE_LOGPROB and hypothesis.no_speech <= MAX_NO_SPEECH
    return bool(plain_words(hypothesis.text)) and not take.doubts and is_likely


def missed_stretches(take: Take) -> list[tuple[float, float]]:
    """Neighbouring spans of speech without a likely word, together at least `MISSED_SEC` long, and not just quieter."""
    window = take.window
    spans = window.speech or ()
    is_heard = [any(_is_in(word, span) for word in take.words) for span in spans]
    if not any(is_heard):
        return []
    loud = _loudness([_samples(window, *span) for span, heard in zip(spans, is_heard, strict=True) if heard])
    others = [span for span, heard in zip(spans, is_heard, strict=True) if heard]
    found: list[tuple[float, float]] = []
    for run in _runs(spans, is_heard):
        speech_sec = sum(end - start for start, end in run)
        if speech_sec >= MISSED_SEC and _loudness([_samples(window, *span) for span in run]) > BACKGROUND * loud:
            found.append(_padded(run[0][0], run[-1][1], others, window.duration_sec))
    return found


def _padded(
    start_sec: float, end_sec: float, others: Sequence[tuple[float, float]], duration_sec: float
) -> tuple[float, float]:
    """With `PAD_SEC` on both sides, but not into the speech beside it: its words are there already."""
    before = max((end for _, end in others if end <= start_sec), default=0.0)
    behind = min((start for start, _ in others if start >= end_sec), default=duration_sec)
    return max(before, start_sec - PAD_SEC), min(behind, end_sec + PAD_SEC)


def _runs(spans: Sequence[tuple[float, float]], is_heard: Sequence[bool]) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for span, heard in zip(spans, is_heard, strict=True):
        if not heard:
            run.append(span)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _is_in(word: Word, span: tuple[float, float]) -> bool:
    middle_sec = (word.start_sec + word.end_sec) / 2
    return span[0] <= middle_sec <= span[1] and (word.confidence or 0.0) >= LIKELY


def _part(window: Window, start_sec: float, end_sec: float) -> Window:
    inside = [(start, end) for start, end in window.speech or () if start >= start_sec and end <= end_sec]
    return Window(
        window.channel,
        window.start_sec + start_sec,
        _samples(window, start_sec, end_sec),
        tuple((start - start_sec, end - start_sec) for start, end in inside),
    )


def _samples(window: Window, start_sec: float, end_sec: float) -> Samples:
    return window.samples[round(start_sec * SAMPLE_RATE) : round(end_sec * SAMPLE_RATE)]


def _loudness(parts: Sequence[Samples]) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(np.concatenate(parts)))))
