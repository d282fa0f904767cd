"""The windows of one file on their way through the engines, and their language."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from threading import Event, Thread

import numpy as np
import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool
from batchscribe.errors import EngineError, MachineTrouble, WorkInterrupted
from batchscribe.intake.planned_names import PlannedNames
from batchscribe.jobs.model import File
from batchscribe.settings import load_settings
from batchscribe.speakers.speaker_pool import SpeakerPool
from batchscribe.speech.engine import LanguageChoice, RecognitionRequest
from batchscribe.speech.language_vote import choose_language
from batchscribe.speech.registry import Choice
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.stages.checkpoint import Checkpoint
from batchscribe.stages.existing_output import look
from batchscribe.stages.job_context import FilesInHand, JobContext, JobWatch
from batchscribe.stages.naming import Naming
from batchscribe.stages.recognize import ASK_EVERY, LEAST_AHEAD, VOTERS, RecognizedRecording, Recognizer, recognizer
from batchscribe.stages.slots import Slots
from batchscribe.storage.memory import MemoryStore
from batchscribe.window import SAMPLE_RATE, Recognition, Window
from batchscribe.wire.choices import DetectionMode, OutputLayout
from batchscribe.worker.machine_health import MachineHealth
from tests.jobs_on_record import NoCheckpoints, keys_of_nobody

JOB = 1
FILE = File(job_number=JOB, seq=1, shard=1, input_uri="memory://a.wav", output_uri="memory://a.json")
Answer = Callable[[RecognitionRequest], Recognition]


class Pool:
    """A pool that answers each request immediately, or keeps it until `answer_first`."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.requests: list[RecognitionRequest] = []
        self.files: list[Hashable] = []
        self.futures: list[Future[Recognition]] = []
        self.has_enough = False
        self._answer = answer

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        future: Future[Recognition] = Future()
        self.requests.append(request)
        self.files.append(file)
        self.futures.append(future)
        if self._answer is not None:
            future.set_result(self._answer(request))
        return future

    def answer_first(self) -> None:
        next(future for future in self.futures if not future.done()).set_result(Recognition())

    def try_out(self) -> None:
        """Always succeed."""

    def close(self) -> None:
        """Do nothing."""

    @property
    def asked(self) -> list[tuple[float, str, LanguageChoice]]:
        return [(each.window.start_sec, each.language, each.detection) for each in self.requests]


def rooms_of(pool: Pool, *, detects: bool = True, language: str = "en-US", is_live: bool = True) -> JobContext:
    return JobContext(
        input=MemoryStore(),
        output=MemoryStore(),
        decoder=DecoderPool(1, DecodeLimits()),
        decoding=Slots(1),
        diarizing=Slots(1),
        speech=pool,
        speakers=SpeakerPool(load_settings(), threads=1, most_idle=0),
        choice=Choice(ScriptedSpec(languages=("en", "de", "fr"), detects_languages=detects), language),
        watch=JobWatch(lambda _: is_live),
        in_hand=FilesInHand(),
        naming=Naming(OutputLayout.PREFIX, partial(look, store=MemoryStore()), PlannedNames([], lambda _: False)),
        health=MachineHealth(lambda _part: None),
        keys=keys_of_nobody(),
        checkpoints=NoCheckpoints(),
    )


def window(start_sec: float, duration_sec: float = 5.0) -> Window:
    return Window(0, start_sec, np.zeros(round(duration_sec * SAMPLE_RATE), np.float32))


def windows(count: int) -> list[Window]:
    """Return adjacent windows of five seconds."""
    return [window(5.0 * number) for number in range(count)]


def spoken(*languages: str) -> Answer:
    """Run an engine on windows of five seconds in these languages. Its text describes what it did."""

    def answer(request: RecognitionRequest) -> Recognition:
        start_sec = request.window.start_sec
        actual = languages[int(start_sec // 5)]
        detected = ((actual, 0.9), ("la", 0.1)) if request.detection is not LanguageChoice.OFF else ()
        chosen = (
            choose_language(dict(detected), request.language) if request.detection is LanguageChoice.CHOOSE else None
        )
        text = f"{start_sec:g} in {chosen or request.language}"
        duration_sec = request.window.duration_sec
        recognition = Recognition.of(text, (), duration_sec)
        return Recognition(recognition.phrases, language=chosen, detected=detected)

    return answer


def recognize(pool: Pool, mode: DetectionMode | None, count: int, **context: object) -> RecognizedRecording:
    with recognizer(FILE, rooms_of(pool, **context), mode, Checkpoint()) as engines:  # type: ignore[arg-type]
        for each in windows(count):
            engines.add(each)
        return engines.finish()


def texts(recognized: RecognizedRecording) -> list[str]:
    return [each.recognition.text for each in recognized.windows]


def languages_of(recognized: RecognizedRecording) -> list[str | None]:
    return [each.recognition.language for each in recognized.windows]


# --- the language named --------------------------------------------------------------------------------------------


def test_windows_come_back_in_their_order_in_the_language_that_was_named() -> None:
    pool = Pool(spoken(*["en"] * 3))
    recognized = recognize(pool, None, 3, language="en-GB")
    assert texts(recognized) == ["0 in en-GB", "5 in en-GB", "10 in en-GB"]
    assert [(each.start_sec, each.duration_sec) for each in recognized.windows] == [(0.0, 5.0), (5.0, 5.0), (10.0, 5.0)]
    assert languages_of(recognized) == [None] * 3, "nobody asked for it, so no segment tells its language"
    assert (recognized.languages, recognized.contradiction) == ({}, None)
    assert set(pool.files) == {FILE}, "so that files take turns"


def test_every_window_has_the_vocabulary_also_if_it_is_repeated_after_the_vote() -> None:
    pool, phrases = Pool(spoken("en", "de", "de", "de", "de")), ("Wrzeszcz", "Saint-Exupéry")
    with recognizer(FILE, rooms_of(pool), DetectionMode.ONCE, Checkpoint(), phrases) as engines:
        for each in windows(5):
            engines.add(each)
        engines.finish()
    assert len(pool.requests) == 6, "the first one was recognized in English"
    assert {each.vocabulary for each in pool.requests} == {phrases}
    recognize(other := Pool(spoken("en")), None, 1)
    assert [each.vocabulary for each in other.requests] == [()]


def test_the_language_of_the_first_windows_and_then_of_every_tenth_is_detected() -> None:
    pool = Pool(spoken(*["en"] * 35))
    recognize(pool, None, 35)
    asked = [number for number, (_, _, detection) in enumerate(pool.asked) if detection is LanguageChoice.REPORT]
    assert asked == [*range(VOTERS), *range(ASK_EVERY, 35, ASK_EVERY)]
    assert {detection for _, _, detection in pool.asked} == {LanguageChoice.REPORT, LanguageChoice.OFF}


def test_an_engine_without_language_detection_is_never_asked_for_it() -> None:
    pool = Pool(spoken(*["de"] * 12))
    recognized = recognize(pool, None, 12, detects=False)
    assert {detection for _, _, detection in pool.asked} == {LanguageChoice.OFF}
    assert recognized.contradiction is None


def test_a_recording_in_another_language_than_requested_is_transcribed_with_a_warning() -> None:
    recognized = recognize(Pool(spoken(*["de"] * 12)), None, 12)
    assert recognized.contradiction == "de"
    assert texts(recognized)[0] == "0 in en-US"


def test_a_few_words_in_another_language_cause_no_warning() -> None:
    assert recognize(Pool(spoken("de", *["en"] * 11)), None, 12).contradiction is None


# --- detected once -------------------------------------------------------------------------------------------------


def test_the_first_windows_decide_and_those_in_another_language_are_transcribed_again() -> None:
    pool = Pool(spoken("fr", "de", "de", "de", "de", "fr"))
    recognized = recognize(pool, DetectionMode.ONCE, 6)
    assert pool.asked == [
        *[(5.0 * number, "en-US", LanguageChoice.CHOOSE) for number in range(VOTERS)],
        (0.0, "de-DE", LanguageChoice.OFF),
        (20.0, "de-DE", LanguageChoice.OFF),
        (25.0, "de-DE", LanguageChoice.OFF),
    ]
    assert texts(recognized) == ["0 in de-DE", "5 in de", "10 in de", "15 in de", "20 in de-DE", "25 in de-DE"]
    assert languages_of(recognized) == ["de"] * 6
    assert recognized.languages == {"de": 30.0}
    assert recognized.contradiction is None


def test_a_recording_of_few_windows_is_decided_at_its_end() -> None:
    pool = Pool(spoken("fr", "fr"))
    recognized = recognize(pool, DetectionMode.ONCE, 2)
    assert [language for _, language, _ in pool.asked] == ["en-US"] * 2
    assert texts(recognized) == ["0 in fr", "5 in fr"]
    assert recognized.languages == {"fr": 10.0}


def test_in_case_of_doubt_it_is_the_language_named() -> None:
    silent = Pool(lambda _: Recognition())
    recognized = recognize(silent, DetectionMode.ONCE, 6, language="fr-FR")
    assert languages_of(recognized) == ["fr"] * 6
    assert {language for _, language, _ in silent.asked} == {"fr-FR"}


def test_a_silent_recording_is_in_no_language() -> None:
    recognized = recognize(Pool(), DetectionMode.ONCE, 0)
    assert (recognized.windows, recognized.languages) == ([], {})


def test_the_first_windows_are_not_waited_for_before_there_are_enough_of_them() -> None:
    pool = Pool()
    pool.has_enough = True
    with recognizer(FILE, rooms_of(pool), DetectionMode.ONCE, Checkpoint()) as engines:
        for each in windows(VOTERS - 1):
            engines.add(each)
    assert len(pool.requests) == VOTERS - 1


# --- detected continuously -----------------------------------------------------------------------------------------


def test_each_window_may_be_in_a_language_of_its_own() -> None:
    pool = Pool(spoken("en", "de", "de", "en", "fr", "de"))
    recognized = recognize(pool, DetectionMode.CONTINUOUS, 6)
    assert {(language, detection) for _, language, detection in pool.asked} == {("en-US", LanguageChoice.CHOOSE)}
    assert languages_of(recognized) == ["en", "de", "de", "en", "fr", "de"]
    assert recognized.languages == {"en": 10.0, "de": 15.0, "fr": 5.0}
    assert recognized.contradiction is None


def test_a_window_whose_language_the_engine_leaves_open_counts_for_the_language_named() -> None:
    recognized = recognize(Pool(lambda _: Recognition()), DetectionMode.CONTINUOUS, 2, language="de-AT")
    assert languages_of(recognized) == ["de", "de"]
    assert recognized.languages == {"de": 10.0}


def test_languages_are_counted_by_their_speech_and_not_by_their_windows() -> None:
    pool = Pool(spoken("en", "en"))
    with recognizer(FILE, rooms_of(pool), DetectionMode.CONTINUOUS, Checkpoint()) as engines:
        samples = np.zeros(5 * SAMPLE_RATE, np.float32)
        engines.add(Window(0, 0.0, samples, ((0.5, 1.0), (2.0, 3.5))))
        assert engines.finish().languages == {"en": 2.0}


# --- waiting -------------------------------------------------------------------------------------------------------


@contextmanager
def adding(engines: Recognizer, each: Window) -> Iterator[Event]:
    """Add a window in a thread. Return an event that is set afterwards."""
    added = Event()

    def add() -> None:
        engines.add(each)
        added.set()

    thread = Thread(target=add, daemon=True)
    thread.start()
    yield added
    thread.join(timeout=60)
    assert added.is_set()


def test_while_the_engines_have_enough_to_do_a_window_waits_for_the_one_before_it() -> None:
    pool = Pool()
    with recognizer(FILE, rooms_of(pool), None, Checkpoint()) as engines:
        pool.has_enough = True
        for each in windows(LEAST_AHEAD):
            engines.add(each)
        with adding(engines, window(60.0)) as added:
            assert not added.wait(0.3)
            pool.answer_first()
        assert len(pool.requests) == LEAST_AHEAD + 1


def test_while_the_engines_have_too_little_to_do_no_window_waits() -> None:
    pool = Pool()
    with recognizer(FILE, rooms_of(pool), None, Checkpoint()) as engines:
        for each in windows(50):
            engines.add(each)
        assert len(pool.requests) == 50


@pytest.mark.parametrize("mode", [None, DetectionMode.ONCE])
def test_recognized_windows_are_freed_while_decoding_continues(mode: DetectionMode | None) -> None:
    """Engines that are faster than the decoder wait for it. Ten hours of samples would take 2 GB."""
    pool = Pool(spoken(*["en"] * 50))
    context = rooms_of(pool)
    held: list[weakref.ref[object]] = []
    with recognizer(FILE, context, mode, Checkpoint()) as engines:
        for number in range(50):
            each = window(5.0 * number)
            held.append(weakref.ref(each.samples))
            engines.add(each)
            del each
            pool.requests.clear()
        assert sum(samples() is not None for samples in held) <= VOTERS
        assert context.in_hand.audio_sec(JOB) >= 200.0


def test_progress_is_reported_per_window_and_ends_with_the_file() -> None:
    pool = Pool(spoken("en", "en"))
    context = rooms_of(pool)
    with recognizer(FILE, context, None, Checkpoint()) as engines:
        for each in windows(2):
            engines.add(each)
        engines.finish()
        assert context.in_hand.audio_sec(JOB) == 10.0
    assert context.in_hand.audio_sec(JOB) == 0.0


# --- interruptions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [None, *DetectionMode])
def test_a_canceled_job_waits_for_no_engine(mode: DetectionMode | None) -> None:
    with recognizer(FILE, rooms_of(Pool(), is_live=False), mode, Checkpoint()) as engines:
        engines.add(window(0.0))
        with pytest.raises(WorkInterrupted):
            engines.finish()


@pytest.mark.parametrize("mode", [None, *DetectionMode])
def test_engines_that_are_stopped_interrupt_the_work(mode: DetectionMode | None) -> None:
    pool = Pool()
    with recognizer(FILE, rooms_of(pool), mode, Checkpoint()) as engines:
        engines.add(window(0.0))
        pool.futures[0].cancel()
        with pytest.raises(WorkInterrupted, match="engines were stopped"):
            engines.finish()


class FailingPool(Pool):
    """A pool that fails on windows this often, by their start."""

    def __init__(self, failures: dict[float, int]) -> None:
        super().__init__()
        self._failures = failures

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        future = super().submit(request, file)
        start_sec = request.window.start_sec
        if self._failures.get(start_sec):
            self._failures[start_sec] -= 1
            future.set_exception(EngineError("It failed."))
        else:
            future.set_result(Recognition())
        return future


@pytest.mark.parametrize("mode", [None, *DetectionMode])
def test_a_window_that_fails_is_tried_again_alone_after_a_trial_of_the_machine(mode: DetectionMode | None) -> None:
    pool = FailingPool({5.0: 1})
    trials: list[str] = []
    context = replace(rooms_of(pool, detects=False), health=MachineHealth(trials.append))
    with recognizer(FILE, context, mode, Checkpoint()) as engines:
        for each in windows(6):
            engines.add(each)
        assert len(engines.finish().windows) == 6
    assert trials == ["scripted"]
    asked = Counter(start_sec for start_sec, _, _ in pool.asked)
    assert asked[5.0] == asked[0.0] + 1
    assert asked[20.0] == 1


@pytest.mark.parametrize("mode", [None, *DetectionMode])
def test_a_window_that_fails_again_fails_the_file(mode: DetectionMode | None) -> None:
    context = rooms_of(FailingPool({0.0: 2}))
    with recognizer(FILE, context, mode, Checkpoint()) as engines:
        engines.add(window(0.0))
        with pytest.raises(EngineError, match="It failed"):
            engines.finish()


def test_a_window_that_fails_on_a_machine_in_trouble_fails_no_file() -> None:
    def try_out(part: str) -> None:
        raise MachineTrouble("The GPU is gone.", part=part)

    context = replace(rooms_of(FailingPool({0.0: 1})), health=MachineHealth(try_out))
    with recognizer(FILE, context, None, Checkpoint()) as engines:
        engines.add(window(0.0))
        with pytest.raises(MachineTrouble, match="GPU"):
            engines.finish()


def test_what_still_waits_when_the_work_ends_early_is_not_wanted_any_more() -> None:
    pool = Pool()
    with recognizer(FILE, rooms_of(pool), None, Checkpoint()) as engines:
        for each in windows(3):
            engines.add(each)
    assert [future.cancelled() for future in pool.futures] == [True] * 3
