"""The Whisper models, run with CTranslate2: about 100 languages, word times, models in folders.

The steps of a batch, in order: features, encoder output, language detection if requested, text and word times
(`whisper_listen`), retries if the text is doubtful (`whisper_retry`), the vocabulary if there is one
(`whisper_vocabulary`), phrases with flags (`whisper_phrases`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from batchscribe.speech.engine import LanguageChoice, RecognitionRequest
from batchscribe.speech.language_vote import choose_language
from batchscribe.speech.languages import primary_subtag, whisper_code, whisper_tag
from batchscribe.speech.whisper_listen import LENGTHS, Listener, Pass, Passes, frames_for
from batchscribe.speech.whisper_model import Features, WhisperModel
from batchscribe.speech.whisper_phrases import build_recognition
from batchscribe.speech.whisper_retry import find_missed, retry_doubtful
from batchscribe.window import Recognition

#: Threads that compute features for a GPU. Those of 30 s take 10 to 30 ms of CPU, so one feeds 1,000 times real time.
PREPARING_THREADS = 2
#: The most languages that are reported for a window.
MOST_DETECTED = 5


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request with its features; None for digital silence, for which Whisper is known to invent text."""

    request: RecognitionRequest
    features: Features | None

    @property
    def n_frames(self) -> int:
        return frames_for(self.request.window)

    @property
    def asks_for_languages(self) -> bool:
        return self.features is not None and self.request.detection is not LanguageChoice.OFF


class WhisperEngine:
    """The engine. It is deterministic: the text of a window does not depend on the other windows of its batch."""

    def __init__(self, model: WhisperModel) -> None:
        self._model = model

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        return self.transcribe_prepared([self._prepare(request) for request in requests])

    def prepare(self, requests: Sequence[RecognitionRequest]) -> list[_Prepared]:
        with ThreadPoolExecutor(PREPARING_THREADS, thread_name_prefix="features") as threads:
            return list(threads.map(self._prepare, requests))

    def _prepare(self, request: RecognitionRequest) -> _Prepared:
        window = request.window
        is_silent = not window.samples.any()
        return _Prepared(request, None if is_silent else self._model.features(window.samples, frames_for(window)))

    def transcribe_prepared(self, prepared: Sequence[_Prepared]) -> list[Recognition]:
        listener = Listener(self._model)
        for each in prepared:
            if each.features is not None:
                listener.provide(each.request.window, each.features)
        detected = self._detect(listener, prepared)
        return listener.run_together(
            [self._recognize(listener, *each) for each in zip(prepared, detected, strict=True)]
        )

    def _detect(self, listener: Listener, prepared: Sequence[_Prepared]) -> list[dict[str, float]]:
        """Return the most probable languages of each window, as tags without region; none if it was not asked."""
        detected: list[dict[str, float]] = [{} for _ in prepared]
        asked = (
            [at for at, each in enumerate(prepared) if each.asks_for_languages] if self._model.is_multilingual else []
        )
        for n_frames in LENGTHS:
            positions = [at for at in asked if prepared[at].n_frames == n_frames]
            if not positions:
                continue
            encoded = listener.encode([prepared[at].request.window for at in positions], n_frames)
            for at, found in zip(positions, self._model.detect_languages(encoded), strict=True):
                detected[at] = {whisper_tag(code): probability for code, probability in found[:MOST_DETECTED]}
        return detected

    def _recognize(self, listener: Listener, prepared: _Prepared, detected: dict[str, float]) -> Passes[Recognition]:
        """Recognize one window: in the requested language, or in a detected one, which is a tag without region."""
        if prepared.features is None:
            return Recognition()
        request, n_frames = prepared.request, prepared.n_frames
        is_chosen = request.detection is LanguageChoice.CHOOSE
        language = choose_language(detected, request.language) if is_chosen else request.language
        code = whisper_code(language)
        first = yield Pass(request.window, n_frames, code)
        take = yield from retry_doubtful(first, n_frames, code)
        missed = [] if take.doubts else (yield from find_missed(take, code))
        if request.vocabulary:
            from batchscribe.speech.whisper_vocabulary import WhisperVocabulary  # its libraries take 50 ms to import

            vocabulary = WhisperVocabulary(self._model, listener, request.vocabulary, code)
            take = vocabulary.apply(take)
            missed = [(start_sec, vocabulary.apply(each)) for start_sec, each in missed]
        return build_recognition(
            take,
            missed=missed,
            language=primary_subtag(language) if is_chosen else None,
            detected=tuple(detected.items()),
        )
