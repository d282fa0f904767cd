from __future__ import annotations

from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from batchscribe.segment import SAMPLE_RATE, Segment
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import Script, ScriptedSpec


def segment(start_sec: float = 0.0, duration_sec: float = 2.0) -> Segment:
    return Segment(0, start_sec, np.zeros(int(duration_sec * SAMPLE_RATE), np.float32))


def test_the_words_depend_on_the_length_alone() -> None:
    engine = ScriptedSpec().build()
    [first, second, longer] = engine.transcribe([segment(1.0), segment(7.0), segment(0.0, 3.0)], "en-US")
    assert first == second != longer
    assert first.text == "the quick brown fox jumps"


@pytest.mark.parametrize("duration_sec", [0.01, 0.4, 1.3, 30.0])
def test_the_made_up_words_lie_inside_the_segment(duration_sec: float) -> None:
    [hearing] = ScriptedSpec().build().transcribe([segment(0.0, duration_sec)], "en-US")
    assert hearing.words[-1].end_sec <= segment(0.0, duration_sec).duration_sec


def test_it_fails_only_where_the_script_says_so_and_only_once_when_told_so(tmp_path: Path) -> None:
    script = Script(fails_at=frozenset({3.0}), only_once=tmp_path / "done")
    engine = ScriptedSpec(script=script).build()
    engine.transcribe([segment(1.0)], "en-US")
    with pytest.raises(ValueError, match="segment fails"):
        engine.transcribe([segment(3.0)], "en-US")
    assert engine.transcribe([segment(3.0)], "en-US")


def test_the_inline_pool_gives_what_the_engine_says() -> None:
    pool = InlinePool(ScriptedSpec(), workers=2)
    futures = [pool.submit(segment(0.0, length), "en-US") for length in (1.0, 2.0, 3.0)]
    engine = ScriptedSpec().build()
    assert [f.result(5) for f in futures] == [
        engine.transcribe([segment(0.0, length)], "en-US")[0] for length in (1.0, 2.0, 3.0)
    ]
    assert pool.busy_sec > 0
    pool.close()


def test_the_inline_pool_cancels_what_it_has_not_begun_when_it_closes() -> None:
    pool = InlinePool(ScriptedSpec(script=Script(call_sec=0.2)))
    begun, waiting = pool.submit(segment(), "en-US"), pool.submit(segment(), "en-US")
    pool.close()
    assert begun.result(5).text
    with pytest.raises(CancelledError):
        waiting.result(5)
    assert pool.submit(segment(), "en-US").cancelled()
