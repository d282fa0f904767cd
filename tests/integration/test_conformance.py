"""The check for authors of engines: all built-in engines pass, and each broken rule is found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from batchscribe.check import CheckResult
from batchscribe.settings import load_settings
from batchscribe.speech.conformance import assert_conforms, check_engine
from batchscribe.speech.engine import Engine, EngineSpec, RecognitionRequest
from batchscribe.speech.onnx import OnnxSpec
from batchscribe.speech.pocketsphinx import PocketsphinxSpec
from batchscribe.speech.registry import find_engines
from batchscribe.speech.scripted import Script, ScriptedSpec
from batchscribe.window import Phrase, Recognition, Word
from tests.models.onnx_graphs import fixed_canary, name_languages, tone_ctc, tone_transducer
from tests.models.whisper import random_whisper
from tests.plugin_package import engine_of_the_docs, install_plugin

#: The longest window for slow engines.
SLOW_SEC = 2.0

# --- the built-in engines --------------------------------------------------------------------------------------


def whisper_of(folder: Path) -> EngineSpec:
    random_whisper(folder, languages=("en", "de"))
    [spec] = find_engines("whisper", load_settings(data_dir=folder.parent, whisper_model=str(folder), device="cpu"))
    return spec


def onnx_of(folder: Path) -> EngineSpec:
    name_languages(folder, "en", "de")
    [spec] = find_engines("onnx", load_settings(data_dir=folder.parent, onnx_model=str(folder), device="cpu"))
    return spec


def test_whisper_conforms(tmp_path: Path) -> None:
    assert_conforms(whisper_of(tmp_path / "model"), SLOW_SEC)


@pytest.mark.parametrize("build", [tone_ctc, tone_transducer, fixed_canary])
def test_onnx_conforms(build: Callable[[Path], Path], tmp_path: Path) -> None:
    assert_conforms(onnx_of(build(tmp_path / "model")))


def test_onnx_conforms_with_the_batches_of_a_gpu(tmp_path: Path) -> None:
    spec = onnx_of(tone_transducer(tmp_path / "model"))
    assert isinstance(spec, OnnxSpec)
    assert_conforms(replace(spec, pad_sec=5.0, batch_size=32))


def test_pocketsphinx_conforms() -> None:
    pytest.importorskip("pocketsphinx", reason="not on this Python: no wheel of pocketsphinx")
    assert_conforms(PocketsphinxSpec(), SLOW_SEC / 4)


def test_the_scripted_engine_conforms_and_is_warned_that_it_invents_text_in_silence() -> None:
    detecting = Script(detected=(("de", 0.9), ("en", 0.1)))
    able = ScriptedSpec(languages=("en", "de"), detects_languages=True, takes_vocabulary=True, script=detecting)
    for spec in (ScriptedSpec(), able):
        found = {check.name: check.verdict for check in check_engine(spec)}
        assert CheckResult.FAILED not in found.values()
        assert found["silence"] is CheckResult.WARNING
        assert found["vocabulary"] is (CheckResult.OK if spec.takes_vocabulary else CheckResult.SKIPPED)


# --- an engine that is written from the document alone -----------------------------------------------------------


def test_the_engine_of_the_document_conforms_once_it_is_installed(tmp_path: Path) -> None:
    site = install_plugin(tmp_path / "site", engine_of_the_docs(), engine="loudness")
    environment = os.environ | {"PYTHONPATH": str(site), "BATCHSCRIBE_DATA_DIR": str(tmp_path / "data")}
    done = check("loudness", environment=environment)
    assert done.returncode == 0, done
    assert done.stdout.startswith("loudness with loudness-1 on cpu\n")
    verdicts = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert verdicts <= {"ok", "skipped"}, done.stdout
    unknown = check("loudness", "--model", "other", environment=environment)
    assert (unknown.returncode, unknown.stderr.partition(";")[0]) == (2, "Engine loudness has no model 'other'")


def check(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "batchscribe.speech.conformance", *words]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


# --- engines that break a rule -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenSpec(EngineSpec):
    name: str = "broken"
    model: str = "broken-1"
    languages: tuple[str, ...] = ("en",)
    speed: float = 1000.0
    batch_size: int = 4
    takes_vocabulary: bool = True
    fault: str = ""

    def build(self) -> Engine:
        return BrokenEngine(self.fault)

    def reads(self) -> tuple[Path, ...]:
        return (Path("/no/such/folder"),) if self.fault == "reads" else ()


class BrokenEngine:
    def __init__(self, fault: str) -> None:
        self._fault = fault
        self._calls = 0
        self._phrases: set[str] = set()
        if fault == "opens":
            Path("/etc/hostname").read_text()

    def transcribe(self, requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        self._calls += 1
        if self._fault == "shares" and any(request.vocabulary for request in requests):
            requests = [replace(each, vocabulary=requests[0].vocabulary) for each in requests]
        found = [self._recognize(request, len(requests)) for request in requests]
        if self._fault == "order":
            found.sort(key=lambda each: each.text)
        return found[:-1] if self._fault == "count" and len(found) > 2 else found

    def _recognize(self, request: RecognitionRequest, count: int) -> Recognition:
        samples, duration_sec = request.window.samples, request.window.duration_sec
        text = " ".join((f"{len(samples)}", *request.vocabulary))
        if self._fault == "batch":
            text += f" {count}"
        if self._fault == "state":
            text += f" {self._calls}"
        if self._fault == "learns":
            self._phrases.update(request.vocabulary)
            text += f" {len(self._phrases)}"
        if self._fault == "rejects" and len(request.vocabulary) > 1:
            raise KeyError("too many phrases")
        if self._fault == "short" and len(samples) < 100:
            raise IndexError("too short")
        if self._fault == "writes":
            samples += np.float32(1)
        end_sec = duration_sec + (0.5 if self._fault == "outside" else 0.0)
        words = [Word(text, 0.0, end_sec)] * (2 if self._fault == "overlap" else 1)
        if self._fault == "confidence":
            words = [replace(word, confidence=-0.5) for word in words]
        if not samples.any() and self._fault != "silence":
            return Recognition()
        return Recognition((Phrase(text, 0.0, end_sec, tuple(words)),))


def test_an_engine_without_faults_conforms() -> None:
    assert_conforms(BrokenSpec())


@pytest.mark.parametrize(
    ("fault", "check", "finding"),
    [
        ("reads", "specification", "names /no/such/folder, which does not exist"),
        ("opens", "process", "Files that it opens must be in reads"),
        ("short", "results", "It raised an error (IndexError: too short)"),
        ("outside", "results", "is not inside the window"),
        ("overlap", "results", "before the end of the one before it"),
        ("confidence", "process", "sent an invalid answer"),
        ("state", "repeated windows", "depends on the windows before it"),
        ("batch", "batches", "results differ from those of single windows"),
        ("order", "batches", "or are in another order"),
        ("count", "batches", "results differ"),
        ("writes", "results", "read-only"),
        ("rejects", "vocabulary", "It raised an error (KeyError: 'too many phrases')"),
        ("learns", "vocabulary", "gets a different result after windows with one"),
        ("shares", "vocabulary", "depends on the vocabularies of others in its batch"),
    ],
)
def test_a_broken_rule_is_found(fault: str, check: str, finding: str) -> None:
    failed = {each.name: each.finding for each in check_engine(BrokenSpec(fault=fault)) if each.verdict == "failed"}
    assert check in failed, failed
    assert finding in failed[check]


def test_text_in_silence_is_a_warning() -> None:
    found = {each.name: each.verdict for each in check_engine(BrokenSpec(fault="silence"))}
    assert found["silence"] is CheckResult.WARNING


def test_the_assertion_lists_what_is_broken() -> None:
    with pytest.raises(AssertionError, match="repeated windows: The result of a window depends on"):
        assert_conforms(BrokenSpec(fault="state"))
