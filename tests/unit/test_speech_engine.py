from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler

import pytest

from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.speech.whisper_spec import WhisperSpec


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


def test_a_call_may_use_ten_times_the_cpu_that_full_windows_should_take() -> None:
    spec = ScriptedSpec(speed=3.0)
    assert spec.limit_cpu_sec(1) == 100.0
    assert spec.limit_cpu_sec(3) == 300.0
