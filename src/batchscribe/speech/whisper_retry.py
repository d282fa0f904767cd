"""Recognizing doubtful windows again, until the text is beyond doubt or all ways have been tried.

Every way is deterministic, and depends only on the window, so that its text never depends on the other windows of its
batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from batchscribe.speech.doubts import MAX_NO_SPEECH, MISSED_SEC, SURE_LOGPROB, Doubt, plain_words
from batchscribe.speech.whisper_listen import ALL_FRAMES, Pass, Passes, Take, frames_for
from batchscribe.speech.whisper_model import SearchOptions
from batchscribe.window import SAMPLE_RATE, Samples, Window, Word

#: With the full 30 s that Whisper was trained on; then also without repeating any three tokens. On 40 doubtful windows
#: of noisy speech, these left 1,201 and 820 wrong words; splitting the window left 1,562, a narrower beam 1,129, a
#: repetition penalty 833, and sampling at temperatures from 0.2 to 1.0 between 870 and 2,025.
WAYS = (SearchOptions(), SearchOptions(no_repeat_ngram=3))
#: The worst first. Among takes without doubts, the most probable text is the best.
SEVERITY = (Doubt.REPEATED, Doubt.TOO_FAST, Doubt.EMPTY, Doubt.SILENT, Doubt.CUT, Doubt.UNSURE)
#: Padding around a stretch that is recognized separately.
PAD_SEC = 0.3
#: A stretch this much quieter than the recognized speech counts as background: 15 dB.
BACKGROUND = 10 ** (-15 / 20)
#: A word counts as recognized in a span of speech if its probability is at least this.
LIKELY = 0.3


def retry_doubtful(first: Take, n_frames: int, language: str) -> Passes[Take]:
    """Return the best take of a window; `n_frames` is the length of the first one."""
    if not first.doubts:
        return first
    takes = [first]
    for way in WAYS:
        if way == SearchOptions() and n_frames == ALL_FRAMES:
            continue  # the same as the first pass
        take = yield Pass(first.window, ALL_FRAMES, language, way)
        takes.append(take)
        if not take.doubts or take.doubts == {Doubt.SILENT}:
            return take
    return min(takes, key=_rank)


def _rank(take: Take) -> tuple[int, float]:
    worst = min((SEVERITY.index(doubt) for doubt in take.doubts), default=len(SEVERITY))
    return -worst, -take.hypothesis.avg_logprob


def find_missed(take: Take, language: str) -> Passes[list[tuple[float, Take]]]:
    """Recognize missed stretches of speech separately. Return those without doubts, with their start in the window.

    Whisper omits sentences, especially those of another speaker.
    """
    takes: list[tuple[float, Take]] = []
    for start_sec, end_sec in missed_stretches(take):
        window = _part(take.window, start_sec, end_sec)
        heard = yield Pass(window, frames_for(window), language)
        spans = window.speech or ()
        if Doubt.REPEATED in heard.doubts and len(spans) > 1:  # the speaker may really repeat the phrase
            for span in spans:
                part_sec = _pad(*span, spans, window.duration_sec)
                part = _part(window, *part_sec)
                takes.append((start_sec + part_sec[0], (yield Pass(part, frames_for(part), language))))
        else:
            takes.append((start_sec, heard))
    return [(at_sec, each) for at_sec, each in takes if _is_sure(each)]


def _is_sure(take: Take) -> bool:
    hypothesis = take.hypothesis
    is_likely = hypothesis.avg_logprob >= SURE_LOGPROB and hypothesis.no_speech <= MAX_NO_SPEECH
    return bool(plain_words(hypothesis.text)) and not take.doubts and is_likely


def missed_stretches(take: Take) -> list[tuple[float, float]]:
    """Return runs of speech spans without a probable word, at least `MISSED_SEC` long, and not in the background."""
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
            found.append(_pad(run[0][0], run[-1][1], others, window.duration_sec))
    return found


def _pad(
    start_sec: float, end_sec: float, others: Sequence[tuple[float, float]], duration_sec: float
) -> tuple[float, float]:
    """Pad by `PAD_SEC` on both sides, but not into neighboring speech, whose words are already recognized."""
    before = max((end for _, end in others if end <= start_sec), default=0.0)
    after = min((start for start, _ in others if start >= end_sec), default=duration_sec)
    return max(before, start_sec - PAD_SEC), min(after, end_sec + PAD_SEC)


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
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(np.concatenate(parts)))))
