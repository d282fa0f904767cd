"""Recognition of one recording: its windows go through the engines, and its language is chosen."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from batchscribe.errors import EngineError, WorkInterrupted
from batchscribe.jobs.model import File
from batchscribe.metrics import RETRIES, Retry, Stage, stage
from batchscribe.speech.engine import LanguageChoice, RecognitionRequest
from batchscribe.speech.language_vote import LanguageVote, speech_sec
from batchscribe.speech.languages import canonical_language, primary_subtag
from batchscribe.stages.checkpoint import Checkpoint
from batchscribe.stages.job_context import JobContext
from batchscribe.transcript.segments import RecognizedWindow
from batchscribe.window import Recognition, SpeakerTurn, Window
from batchscribe.wire.choices import DetectionMode

#: Windows of a file that may wait for an engine even if other files keep the engines busy.
LEAST_AHEAD = 2
#: Number of windows at the start that decide the language of the recording.
VOTERS = 4
#: Without detection, the engine also checks the language of every tenth window. That takes 4 % of the window's time.
ASK_EVERY = 10
#: Seconds between checks whether the job has ended, while a file waits for an engine.
LOOK_SEC = 0.25


@dataclass(slots=True)
class RecognizedRecording:
    """The result of recognition for one recording.

    `languages` maps the detected languages, as tags without region, to their seconds of speech. It is empty unless the
    job asked for detection. `contradiction` is the language of the recording if it differs from the requested one.
    `turns` is empty unless the job asked for diarization.
    """

    windows: list[RecognizedWindow] = field(default_factory=list)
    languages: dict[str, float] = field(default_factory=dict)
    contradiction: str | None = None
    turns: tuple[SpeakerTurn, ...] = ()

    def count(self, language: str, sec: float) -> None:
        self.languages[language] = self.languages.get(language, 0.0) + sec


@dataclass(slots=True)
class _Waiting:
    """A window between its submission and its place in the result. `index` counts the recording's windows from 0."""

    index: int
    request: RecognitionRequest  #: without samples if the recognition is known
    future: Future[Recognition]
    duration_sec: float
    speech_sec: float
    is_stored: bool = False  #: whether the checkpoint has it


@contextmanager
def recognizer(
    file: File,
    context: JobContext,
    mode: DetectionMode | None,
    checkpoint: Checkpoint,
    vocabulary: tuple[str, ...] = (),
) -> Iterator[Recognizer]:
    """Open a recognizer. At the end, waiting windows are canceled. `vocabulary` has phrases for the engine."""
    opened = Recognizer(file, context, mode, checkpoint, vocabulary)
    try:
        yield opened
    finally:
        opened.close()


class Recognizer:
    """Recognition of the windows of one file, in order. Only as many wait as keep the engines busy.

    Windows in the checkpoint do not go to an engine.
    """

    def __init__(
        self,
        file: File,
        context: JobContext,
        mode: DetectionMode | None,
        checkpoint: Checkpoint,
        vocabulary: tuple[str, ...],
    ) -> None:
        self._file = file
        self._rooms = context
        self._mode = mode
        self._checkpoint = checkpoint
        self._vocabulary = vocabulary
        self._language = checkpoint.language or context.choice.language
        self._vote = LanguageVote()
        self._is_voting = mode is DetectionMode.ONCE and checkpoint.language is None
        self._n_windows = 0
        self._waiting: deque[_Waiting] = deque()
        self._is_finished = False
        self._recognized = RecognizedRecording()
        if checkpoint.position is not None:
            self._continue_at(checkpoint.position.n_windows)

    def _continue_at(self, n_windows: int) -> None:
        """Take the first windows from the checkpoint: the decoder leaves them out."""
        for stored in self._checkpoint.take_before(n_windows):
            recognized = RecognizedWindow(stored.channel, stored.start_sec, stored.duration_sec, stored.recognition)
            self._append(recognized, stored.speech_sec)
        self._n_windows = n_windows

    def add(self, window: Window) -> None:
        """Submit a window. Raises the engine's error for an earlier window, and `WorkInterrupted`."""
        while not self._is_voting and self._may_take():
            self._take()
        self._waiting.append(self._find(window) or self._submit(self._n_windows, window, self._detection()))
        self._n_windows += 1
        if self._is_voting and self._n_windows == VOTERS:
            self._end_vote()
        self._save()

    def _may_take(self) -> bool:
        """Return whether to take the first result, so that samples are held no longer than needed."""
        if self._waiting and self._waiting[0].future.done():
            return True
        return len(self._waiting) >= LEAST_AHEAD and self._rooms.speech.has_enough

    def finish(self) -> RecognizedRecording:
        """Wait for the remaining windows. Raises as `add` does."""
        if self._is_voting:
            self._end_vote()
        while self._waiting:
            self._take()
        if self._mode is None:
            self._recognized.contradiction = self._vote.contradicts(self._language)
        self._is_finished = True
        return self._recognized

    def close(self) -> None:
        self._store()
        for each in self._waiting:
            each.future.cancel()
        self._rooms.in_hand.drop(self._file)
        if not self._is_finished:
            self._checkpoint.close()

    def _detection(self) -> LanguageChoice:
        """Choose the detection for the next window."""
        if self._is_voting or self._mode is DetectionMode.CONTINUOUS:
            return LanguageChoice.CHOOSE
        is_asked = self._n_windows < VOTERS or self._n_windows % ASK_EVERY == 0
        if self._mode is None and is_asked and self._rooms.choice.spec.detects_languages:
            return LanguageChoice.REPORT
        return LanguageChoice.OFF

    def _end_vote(self) -> None:
        """Use the language that won for later windows. Repeat earlier windows that were recognized in another one."""
        for each in self._waiting:
            self._vote.add(each.speech_sec, self._result(each))
        winner = self._vote.winner(self._language)
        self._is_voting = False
        self._language = self._checkpoint.language = canonical_language(winner)
        for each in self._waiting:
            if each.future.result().language != winner:
                again = self._submit(each.index, each.request.window, LanguageChoice.OFF)
                each.request, each.future = again.request, again.future

    def _find(self, window: Window) -> _Waiting | None:
        """Return the window with its recognition if an earlier attempt has stored it."""
        known = self._checkpoint.find(self._n_windows, window)
        if known is None:
            return None
        future: Future[Recognition] = Future()
        future.set_result(known)
        without_samples = replace(window, samples=np.zeros(0, dtype=np.float32))
        return _Waiting(
            self._n_windows,
            RecognitionRequest(without_samples, self._language),
            future,
            window.duration_sec,
            speech_sec(window),
            is_stored=True,
        )

    def _submit(self, index: int, window: Window, detection: LanguageChoice) -> _Waiting:
        request = RecognitionRequest(window, self._language, detection, self._vocabulary)
        future = self._rooms.speech.submit(request, self._file)
        return _Waiting(index, request, future, window.duration_sec, speech_sec(window))

    def _save(self) -> None:
        """Store the windows that are done. Raises `WorkInterrupted` if the attempt is no longer wanted."""
        self._store()
        self._checkpoint.save_if_due()

    def _store(self) -> None:
        """Add recognized windows to the checkpoint, even if earlier ones are not done, but none before the vote."""
        for each in () if self._is_voting else self._waiting:
            if not each.is_stored and _has_result(each.future):
                self._checkpoint.add(each.index, each.request.window, each.future.result())
                each.is_stored = True

    def _result(self, waiting: _Waiting) -> Recognition:
        """Return the result of a window. If the engine failed, retry once, right after the machine has passed a trial.

        So brief trouble of the machine fails no file, and the rest of a long recording is not transcribed twice.
        """
        try:
            return self._wait(waiting)
        except EngineError:
            self._rooms.health.confirm(self._rooms.choice.spec.name)
        RETRIES.labels(Retry.ENGINE).inc()
        waiting.future = self._rooms.speech.submit(waiting.request, self._file)
        return self._wait(waiting)

    def _wait(self, waiting: _Waiting) -> Recognition:
        try:
            with stage(Stage.TRANSCRIBE):
                while True:
                    self._rooms.watch.check(self._file.job_number)
                    if (found := _result_within(waiting.future, LOOK_SEC)) is not None:
                        return found
                    self._save()
        except CancelledError:
            raise WorkInterrupted("The engines were stopped.") from None

    def _take(self) -> None:
        recognition = self._result(self._waiting[0])
        self._save()
        taken = self._waiting.popleft()
        window = taken.request.window
        recognized = RecognizedWindow(window.channel, window.start_sec, taken.duration_sec, recognition)
        self._append(recognized, taken.speech_sec)

    def _append(self, window: RecognizedWindow, window_speech_sec: float) -> None:
        if self._mode is None:
            self._vote.add(window_speech_sec, window.recognition)
        else:
            language = window.recognition.language or primary_subtag(self._language)
            window = replace(window, recognition=replace(window.recognition, language=language))
            self._recognized.count(language, window_speech_sec)
        self._recognized.windows.append(window)
        self._rooms.in_hand.reach(self._file, window.start_sec + window.duration_sec)


def _result_within(future: Future[Recognition], sec: float) -> Recognition | None:
    """Wait for the result; return None if it takes longer. Raises the future's error, and `CancelledError`."""
    try:
        return future.result(sec)
    except TimeoutError:
        if future.done():
            raise
        return None


def _has_result(future: Future[Recognition]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
