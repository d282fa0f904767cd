from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest

from batchscribe.segment import SAMPLE_RATE, Segment
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.speech.whisper import WhisperSpec


@pytest.mark.parametrize(
    "spec",
    [
        ScriptedSpec(script=Script(dies_at=frozenset({1.0}))),
        WhisperSpec(model="whisper-tiny", languages=("en",), speed=2.0, model_path="models/tiny"),
    ],
)
def test_a_spec_is_a_key_and_travels_to_the_process_that_builds_the_engine(spec: EngineSpec) -> None:
    arrived = ForkingPickler.loads(ForkingPickler.dumps(spec))
    assert {spec: "the same"}[arrived] == "the same"


@pytest.mark.parametrize(
    ("languages", "language", "understood"),
    [
        (("en",), "en-GB", True),
        (("en-US",), "en-US", True),
        (("en-US",), "en-GB", False),
        (("en", "de"), "de-AT", True),
        (("zh",), "zh-Hant-TW", True),
        (("en",), "de-DE", False),
    ],
)
def test_a_language_without_region_stands_for_all_its_regions(
    languages: Sequence[str], language: str, understood: bool
) -> None:
    assert ScriptedSpec(languages=tuple(languages)).understands(language) is understood


def test_a_call_may_take_ten_times_what_a_whole_window_should_for_each_segment() -> None:
    spec = ScriptedSpec(speed=3.0)
    short = Segment(0, 0.0, np.zeros(SAMPLE_RATE, np.float32))
    long = Segment(0, 0.0, np.zeros(60 * SAMPLE_RATE, np.float32))
    assert spec.limit_sec([short]) == 100.0
    assert spec.limit_sec([short, long]) == 300.0
