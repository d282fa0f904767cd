"""What a checkpoint stores and when, and that an attempt which continues there changes nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from batchscribe.audio.decoder import Position
from batchscribe.errors import WorkInterrupted
from batchscribe.speech.engine import LanguageChoice, RecognitionRequest
from batchscribe.speech.language_vote import choose_language
from batchscribe.stages.checkpoint import LEAST_SEC, MOST_SEC, PAUSE_SEC, RETRY_SEC, Checkpoint, StoredWindows
from batchscribe.stages.recognize import VOTERS, RecognizedRecording, recognizer
from batchscribe.window import SAMPLE_RATE, Flag, Phrase, Recognition, Window, Word
from batchscribe.wire.choices import DetectionMode
from tests.unit.test_recognize import FILE, Pool, rooms_of, windows

LANGUAGES = ["de", "en", "de", "de", "en", "de", "de", "de"]
HEARD = Recognition(
    (Phrase("Hello, Zoë.", 0.1, 2.9, (Word("Hello,", 0.1, 1 / 3), Word("Zoë.", 2.5, 2.9, 0.7)), (Flag.NO_SPEECH,)),),
    left_out=((3.0, 4.0),),
    language="en",
    detected=(("en", 0.9), ("de", 0.1)),
)


class Parts:
    """A store in memory. `answer` is what `write` returns for parts that it does not keep."""

    def __init__(self, *, answer: bool | None = True) -> None:
        self.contents: list[bytes] = []
        self.known: list[int] = []  #: windows without a gap, with each part
        self.answer = answer
        self.n_tries = 0

    def read(self) -> Iterable[bytes]:
        return list(self.contents)

    def write(self, content: bytes, n_known: int) -> bool | None:
        self.n_tries += 1
        if self.answer:
            self.contents.append(content)
            self.known.append(n_known)
        return self.answer

    @property
    def indexes(self) -> list[list[int]]:
        parts = [StoredWindows.unpack(content) for content in self.contents]
        return [[each.index for each in part.windows] for part in parts if part]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def window(start_sec: float, duration_sec: float = 20.0, channel: int = 0) -> Window:
    return Window(channel, start_sec, np.zeros(round(duration_sec * SAMPLE_RATE), np.float32))


def filled(parts: Parts, clock: Clock, *starts_sec: float, duration_sec: float = 20.0) -> Checkpoint:
    checkpoint = Checkpoint(parts, clock)
    for index, start_sec in enumerate(starts_sec):
        checkpoint.add(index, window(start_sec, duration_sec), HEARD)
        checkpoint.save_if_due()
    return checkpoint


def test_a_recognition_comes_back_as_it_was_and_only_for_its_own_window() -> None:
    parts = Parts()
    filled(parts, Clock(), 0.0, 20.0, 40.0)
    again = Checkpoint(parts)
    assert again.find(0, window(0.0)) == HEARD
    assert again.find(0, window(0.0)) is None, "it is kept no longer than needed"
    assert again.find(1, window(20.5)) is None
    assert again.find(2, window(40.0, channel=1)) is None
    assert again.find(3, window(60.0)) is None


def test_a_part_is_stored_for_each_minute_that_is_recognized() -> None:
    parts, clock = Parts(), Clock()
    checkpoint = Checkpoint(parts, clock)
    for index in range(10):
        clock.now += PAUSE_SEC
        checkpoint.add(index, window(20.0 * index), HEARD)
        checkpoint.save_if_due()
    assert parts.indexes == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_pauses_of_the_recording_count_like_its_speech() -> None:
    parts = Parts()
    filled(parts, Clock(), 0.0, LEAST_SEC, duration_sec=2.0)
    assert parts.indexes == [[0, 1]]


def test_channels_count_separately() -> None:
    """Two speakers who talk at once are twice the work."""
    parts, clock = Parts(), Clock()
    checkpoint = filled(parts, clock, 0.0, 20.0, 40.0)
    clock.now += PAUSE_SEC
    for channel in (0, 1):
        checkpoint.add(3 + channel, window(60.0, 30.0, channel), HEARD)
        checkpoint.save_if_due()
    assert parts.indexes == [[0, 1, 2], [3, 4]]


def test_a_fast_engine_stores_parts_less_often_but_after_four_minutes_at_the_latest() -> None:
    parts, clock = Parts(), Clock()
    filled(parts, clock, *(20.0 * index for index in range(30)))
    assert parts.indexes == [[0, 1, 2], list(range(3, 15)), list(range(15, 27))]
    assert MOST_SEC <= 300


def test_an_attempt_that_continues_stores_its_first_window_at_once() -> None:
    """It shows that the file came further, even if this attempt dies soon."""
    parts, clock = Parts(), Clock()
    filled(parts, clock, 0.0, 20.0, 40.0)
    checkpoint = Checkpoint(parts, clock)
    for index in range(3, 7):
        checkpoint.add(index, window(20.0 * index), HEARD)
        checkpoint.save_if_due()
        clock.now += PAUSE_SEC
    assert parts.indexes == [[0, 1, 2], [3], [4, 5, 6]]


def test_windows_behind_a_gap_do_not_show_that_the_file_came_further() -> None:
    """The window in the gap may be the one that kills its worker."""
    parts, clock = Parts(), Clock()
    filled(parts, clock, 0.0, 20.0, 40.0)
    checkpoint = Checkpoint(parts, clock)
    for index in (4, 5, 6, 3):
        checkpoint.add(index, window(20.0 * index), HEARD)
        checkpoint.save_if_due()
        clock.now += PAUSE_SEC
    assert parts.indexes == [[0, 1, 2], [4, 5], [6, 3]]
    assert parts.known == [3, 3, 7]


def test_a_short_recording_with_several_channels_has_no_checkpoint() -> None:
    parts = Parts()
    checkpoint = Checkpoint(parts, Clock())
    for index in range(4):
        checkpoint.add(index, window(0.0, 30.0, channel=index), HEARD)
        checkpoint.save_if_due()
    checkpoint.close()
    assert parts.contents == []


def test_what_cannot_be_stored_now_is_stored_later() -> None:
    parts, clock = Parts(answer=None), Clock()
    checkpoint = filled(parts, clock, *(20.0 * index for index in range(30)))
    assert parts.n_tries == 1, "a database in trouble is not asked for each window"
    parts.answer = True
    clock.now += RETRY_SEC
    checkpoint.save_if_due()
    assert parts.indexes == [list(range(30))]


def test_an_attempt_that_is_no_longer_wanted_is_interrupted() -> None:
    with pytest.raises(WorkInterrupted, match="another worker"):
        filled(Parts(answer=False), Clock(), 0.0, 20.0, 40.0)


def test_an_interruption_stores_what_is_worth_it() -> None:
    parts, clock = Parts(), Clock()
    checkpoint = filled(parts, clock, 0.0, 20.0, 40.0, 60.0, 80.0)
    checkpoint.close()
    assert parts.indexes == [[0, 1, 2]]
    checkpoint.add(5, window(100.0), HEARD)
    checkpoint.close()
    assert parts.indexes == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("content", [b"", b"garbage", zlib.compress(b"{}"), zlib.compress(b'{"windows": 1}')])
def test_a_part_that_cannot_be_read_is_ignored(content: bytes) -> None:
    parts = Parts()
    filled(parts, Clock(), 0.0, 20.0, 40.0)
    parts.contents.insert(0, content)
    assert Checkpoint(parts).find(2, window(40.0)) == HEARD


# --- the recognizer ------------------------------------------------------------------------------------------------


def spoken(request: RecognitionRequest) -> Recognition:
    """Return a text that shows what the engine was asked; each window is in its own language."""
    actual = LANGUAGES[int(request.window.start_sec // 30)]
    detected = ((actual, 0.9), ("la", 0.1)) if request.detection is not LanguageChoice.OFF else ()
    chosen = choose_language(dict(detected), request.language) if request.detection is LanguageChoice.CHOOSE else None
    heard = Recognition.of(f"{request.window.start_sec:g} in {chosen or request.language}", (), 30.0)
    return replace(heard, language=chosen, detected=detected)


def long_windows() -> list[Window]:
    return [window(30.0 * number, 30.0) for number in range(len(LANGUAGES))]


def recognized(pool: Pool, mode: DetectionMode | None, parts: Parts, *, stop_after: int = 99) -> RecognizedRecording:
    """Raises `WorkInterrupted` after this many windows."""
    checkpoint = Checkpoint(parts, clock=Clock())
    with recognizer(FILE, rooms_of(pool), mode, checkpoint) as engines:
        for number, each in enumerate(long_windows()):
            if number == stop_after:
                raise WorkInterrupted("The test stops here.")
            engines.add(each)
        return engines.finish()


@pytest.mark.parametrize("mode", [None, *DetectionMode])
@pytest.mark.parametrize("stop_after", range(1, len(LANGUAGES)))
def test_the_next_attempt_continues_and_its_result_is_the_same(mode: DetectionMode | None, stop_after: int) -> None:
    undisturbed = recognized(Pool(spoken), mode, Parts())
    parts = Parts()
    with pytest.raises(WorkInterrupted):
        recognized(Pool(spoken), mode, parts, stop_after=stop_after)
    pool = Pool(spoken)
    assert recognized(pool, mode, parts) == undisturbed
    has_voted = mode is not DetectionMode.ONCE or stop_after >= VOTERS
    repeated = {each.window.start_sec for each in pool.requests} & {30.0 * number for number in range(stop_after)}
    assert len(repeated) <= (1 if has_voted else stop_after)


def test_windows_that_overtake_others_are_stored_in_time() -> None:
    """An engine that is busy with the first window must not make the results of the others worthless."""
    parts = Parts()
    pool = Pool()
    with recognizer(FILE, rooms_of(pool), None, Checkpoint(parts)) as engines:
        for number, each in enumerate(long_windows()[:5]):
            engines.add(each)
            if number:
                pool.futures[number].set_result(HEARD)
        engines.add(long_windows()[5])
        assert parts.indexes[0] == [1]
    assert sorted(index for part in parts.indexes for index in part) == [1, 2, 3, 4]


def test_a_short_recording_has_no_checkpoint() -> None:
    parts = Parts()
    with recognizer(FILE, rooms_of(Pool(lambda _: HEARD)), None, Checkpoint(parts)) as engines:
        for each in windows(11):
            engines.add(each)
        engines.finish()
    assert parts.contents == []


# --- positions of the decoder --------------------------------------------------------------------------------------


def stored(parts: Parts, clock: Clock, known: range, *, position: Position | None) -> None:
    """Store these windows, of a minute each, in one part."""
    checkpoint = Checkpoint(clock=clock)
    checkpoint.store, checkpoint.position = parts, position
    for index in known:
        checkpoint.add(index, window(30.0 * index, 30.0), HEARD)
    checkpoint.close()


def test_the_decoder_continues_at_the_last_position_before_which_all_windows_are_known() -> None:
    parts, clock = Parts(), Clock()
    stored(parts, clock, range(3), position=Position(1, "first"))
    stored(parts, clock, range(3, 6), position=Position(5, "second"))
    stored(parts, clock, range(7, 10), position=Position(8, "window 6 was still with an engine"))
    checkpoint = Checkpoint(parts)
    assert checkpoint.position == Position(5, "second")
    assert [each.index for each in checkpoint.take_before(5)] == [0, 1, 2, 3, 4]
    assert checkpoint.find(5, window(150.0, 30.0)) == HEARD
    assert checkpoint.find(6, window(180.0, 30.0)) is None


@pytest.mark.parametrize("mode", [None, *DetectionMode])
@pytest.mark.parametrize("n_windows", [VOTERS, len(LANGUAGES) - 1])
def test_windows_that_the_decoder_leaves_out_are_part_of_the_result(mode: DetectionMode | None, n_windows: int) -> None:
    undisturbed = recognized(Pool(spoken), mode, Parts())
    parts = Parts()
    with pytest.raises(WorkInterrupted):
        recognized(Pool(spoken), mode, parts, stop_after=len(LANGUAGES) - 1)
    checkpoint = Checkpoint(parts)
    checkpoint.position = Position(n_windows, "")
    with recognizer(FILE, rooms_of(Pool(spoken)), mode, checkpoint) as engines:
        for each in long_windows()[n_windows:]:
            engines.add(each)
        assert engines.finish() == undisturbed
