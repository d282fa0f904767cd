from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from batchscribe.speech.engine import LanguageChoice, RecognitionRequest
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import Script, ScriptedEngine, ScriptedSpec
from batchscribe.window import SAMPLE_RATE, Recognition, Window
from tests.integration.command import wait_until


def request(
    start_sec: float = 0.0, duration_sec: float = 2.0, detection: LanguageChoice = LanguageChoice.OFF
) -> RecognitionRequest:
    window = Window(0, start_sec, np.zeros(int(duration_sec * SAMPLE_RATE), np.float32))
    return RecognitionRequest(window, "en-US", detection)


def test_the_words_depend_on_the_length_alone() -> None:
    engine = ScriptedSpec().build()
    [first, second, longer] = engine.transcribe([request(1.0), request(7.0), request(0.0, 3.0)])
    assert first == second != longer
    assert first.text == "the quick brown fox jumps"


@pytest.mark.parametrize("duration_sec", [0.01, 0.4, 1.3, 30.0])
def test_the_made_up_words_lie_inside_the_window(duration_sec: float) -> None:
    asked = request(0.0, duration_sec)
    [recognition] = ScriptedSpec().build().transcribe([asked])
    [phrase] = recognition.phrases
    assert phrase.words[-1].end_sec <= asked.window.duration_sec


def test_it_fails_only_where_the_script_says_so_and_once_if_scripted(tmp_path: Path) -> None:
    script = Script(fails_at=frozenset({3.0}), only_once=tmp_path / "done")
    engine = ScriptedSpec(script=script).build()
    engine.transcribe([request(1.0)])
    with pytest.raises(ValueError, match="window fails"):
        engine.transcribe([request(3.0)])
    assert engine.transcribe([request(3.0)])


def test_it_detects_the_languages_of_its_script_only_on_request() -> None:
    engine = ScriptedSpec(script=Script(detected=(("de", 0.9), ("en", 0.1)))).build()
    silent, report, choice = engine.transcribe([request(detection=detection) for detection in LanguageChoice])
    assert (silent.detected, silent.language) == ((), None)
    assert (report.detected, report.language) == ((("de", 0.9), ("en", 0.1)), None)
    assert (choice.detected, choice.language) == ((("de", 0.9), ("en", 0.1)), "de")


def test_the_inline_pool_gives_what_the_engine_says() -> None:
    pool = InlinePool(ScriptedSpec(), processes=2)
    futures = [pool.submit(request(0.0, length)) for length in (1.0, 2.0, 3.0)]
    engine = ScriptedSpec().build()
    assert [f.result(60) for f in futures] == engine.transcribe([request(0.0, length) for length in (1.0, 2.0, 3.0)])
    pool.close()


def test_the_inline_pool_cancels_waiting_windows_when_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, may_end = Event(), Event()
    transcribe = ScriptedEngine.transcribe

    def wait_and_transcribe(engine: ScriptedEngine, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        has_begun.set()
        assert may_end.wait(60)
        return transcribe(engine, requests)

    monkeypatch.setattr(ScriptedEngine, "transcribe", wait_and_transcribe)
    pool = InlinePool(ScriptedSpec())
    begun, waiting = pool.submit(request()), pool.submit(request())
    assert has_begun.wait(60)
    closing = Thread(target=pool.close)
    closing.start()
    wait_until(waiting.cancelled)
    may_end.set()
    closing.join(60)
    assert begun.result(60).text
    with pytest.raises(CancelledError):
        waiting.result(60)
    assert pool.submit(request()).cancelled()
