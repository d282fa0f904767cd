"""`make bench-gpu` with a tiny model on the CPU."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.gpu import fixed_transducer, fixed_whisper, throughput
from benchmarks.gpu.throughput import Rig
from benchmarks.gpu.workload import Workload

from batchscribe.settings import load_settings
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.onnx import find_onnx_specs
from batchscribe.speech.whisper import WhisperEngine
from batchscribe.speech.whisper_model import WhisperModel
from batchscribe.window import SAMPLE_RATE, Window
from tests.documents import ROOT

TOKENS = 30


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fixed_whisper.fixed_whisper(
        tmp_path_factory.mktemp("model") / "fixed",
        fixed_whisper.SMALL,
        fixed_whisper.SMALL_TOKENS,
        tokens_per_text=TOKENS,
        stored_as="float16",
    )


def noise(*durations_sec: float) -> list[Window]:
    """Windows that are full of speech, for an engine."""
    samples = np.random.default_rng(1).normal(0, 0.1, 30 * SAMPLE_RATE).astype(np.float32)
    return [Window(0, 0.0, samples[: int(sec * SAMPLE_RATE)], ((0.0, sec),)) for sec in durations_sec]


@pytest.mark.parametrize("compute_type", ["int8", "float32"])
def test_the_model_writes_the_same_number_of_tokens_for_any_sound(model: Path, compute_type: str) -> None:
    """Without a doubt, so that the engine recognizes no window a second time."""
    engine = WhisperEngine(WhisperModel(model, "cpu", compute_type))
    recognitions = engine.transcribe([RecognitionRequest(window, "en-US") for window in noise(1.5, 5.0, 25.0)])
    assert [sum(map(str.isalpha, each.text)) for each in recognitions] == [TOKENS] * 3
    assert [phrase.flags for each in recognitions for phrase in each.phrases] == [()] * 3


def test_the_transducer_writes_the_same_number_of_tokens_for_any_sound(tmp_path: Path) -> None:
    folder = fixed_transducer.fixed_transducer(tmp_path / "model", fixed_transducer.SMALL, TOKENS)
    [spec] = find_onnx_specs(load_settings(onnx_model=f"{folder}", device="cpu"))
    recognitions = spec.build().transcribe([RecognitionRequest(window, "en-US") for window in noise(3.0, 5.0, 25.0)])
    assert [sum(map(str.isalpha, each.text)) for each in recognitions] == [TOKENS] * 3
    assert all(each.phrases for each in recognitions)


def test_the_flow_and_the_engine_alone_are_measured(model: Path) -> None:
    settings = {"engine": "whisper", "whisper_model": f"{model}", "device": "cpu"}
    rig = Rig("whisper", TOKENS, settings, None, engine_processes=2)
    figures = {figure.name: figure.value for figure in throughput.measure(Workload("5 s", 5.0, 4, TOKENS), rig)}
    assert figures["windows of 4 x 5 s"] == "4"
    ratio = float(figures["whole flow : engine alone"])
    speeds = [float(figures[f"{side}, audio seconds per second"]) for side in ("whole flow", "engine alone")]
    assert ratio == pytest.approx(speeds[0] / speeds[1], abs=0.02)
    assert float(figures["files wait: transcribe, mean"].removesuffix(" s")) > 0
    assert float(figures["CPU per hour of audio: engine"].removesuffix(" s")) > 0


def test_an_engine_as_fast_as_a_gpu_is_limited_by_decoding() -> None:
    """On any number of cores that a test machine has: a core decodes a few hundred seconds of audio per second."""
    command = [sys.executable, "-m", "benchmarks.gpu", "5 min", "--model", "scripted", "--small"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    speeds = {
        side: float(re.findall(rf"{side}, audio seconds per second \| ([\d.]+)", printed)[0])
        for side in ("engine alone", "decoding alone", "whole flow")
    }
    assert 500 < speeds["engine alone"] < 3000
    assert speeds["decoding alone"] < speeds["engine alone"]
    assert speeds["whole flow"] < 1.3 * speeds["decoding alone"]


def test_without_a_gpu_the_benchmark_says_what_to_do() -> None:
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cuda:63"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert re.search(r"NVIDIA GPU 63 cannot be used here \(.+\)\. .*--device cpu --small", ended.stderr), ended.stderr
