from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from threading import Thread

import numpy as np
import pytest

from batchscribe.children.pipe import Pipe
from batchscribe.speech.engine import LanguageChoice, RecognitionRequest
from batchscribe.speech.engine_child import describe, describe_kind, receive, send
from batchscribe.speech.engine_confinement import set_environment
from batchscribe.window import Window


def test_an_engine_inherits_no_credentials_and_counts_on_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "BATCHSCRIBE_SECRET_KEY", "PGPASSWORD", "HF_TOKEN"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LANG", "C")
    set_environment()
    assert "secret" not in os.environ.values()
    assert os.environ["LANG"] == "C"
    assert os.environ["OMP_NUM_THREADS"] == "1"


@pytest.fixture
def pipe() -> Iterator[tuple[Pipe, Pipe]]:
    here, there = multiprocessing.Pipe()
    with here, there:
        yield Pipe(here), Pipe(there)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_requests_arrive_as_they_were_sent(pipe: tuple[Pipe, Pipe], count: int) -> None:
    speech = ((0.0, 0.5), (0.75, 1.0))
    samples = [np.random.default_rng(seed).normal(size=100_000 * seed).astype(np.float32) for seed in range(count)]
    sent = [RecognitionRequest(Window(1, 2.5, each, speech), "de-DE", LanguageChoice.CHOOSE) for each in samples]
    sender = Thread(target=send, args=(pipe[0], sent))
    sender.start()
    arrived = receive(pipe[1])
    sender.join()
    assert [(each.language, each.detection) for each in arrived] == [("de-DE", LanguageChoice.CHOOSE)] * count
    windows = [each.window for each in arrived]
    assert [(each.channel, each.start_sec, each.speech) for each in windows] == [(1, 2.5, speech)] * count
    for window, given in zip(windows, samples, strict=True):
        np.testing.assert_array_equal(window.samples, given)


def test_an_error_is_described_in_one_short_line() -> None:
    assert describe(ValueError("first\nsecond")) == "ValueError: first"
    assert describe(KeyError()) == "KeyError"
    assert len(describe(RuntimeError("x" * 10_000))) < 300


def test_text_of_a_recording_in_an_error_is_not_passed_on() -> None:
    assert describe_kind(KeyError("my secret")) == "KeyError"
    assert describe_kind(RuntimeError("CUDA out of memory at my secret")) == "RuntimeError, out of memory"
