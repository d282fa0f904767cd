from __future__ import annotations

import os
from multiprocessing import Pipe
from threading import Thread

import numpy as np
import pytest

from batchscribe.segment import Segment
from batchscribe.speech.child import Failure, Ready, describe, receive, send, set_environment


def test_an_engine_inherits_no_credentials_and_counts_on_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "BATCHSCRIBE_SECRET_KEY", "PGPASSWORD", "HF_TOKEN"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LANG", "C")
    set_environment()
    assert "secret" not in os.environ.values()
    assert os.environ["LANG"] == "C"
    assert os.environ["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize("count", [0, 1, 5])
def test_segments_arrive_as_they_were_sent(count: int) -> None:
    samples = [np.random.default_rng(seed).normal(size=1000 * seed).astype(np.float32) for seed in range(count)]
    here, there = Pipe()
    with here, there:
        sender = Thread(target=send, args=(here, [Segment(1, 2.5, each) for each in samples]))
        sender.start()
        arrived = receive(there)
        sender.join()
    assert [(each.channel, each.start_sec) for each in arrived] == [(1, 2.5)] * count
    for each, sent in zip(arrived, samples, strict=True):
        np.testing.assert_array_equal(each.samples, sent)


def test_messages_without_samples_arrive_too() -> None:
    here, there = Pipe()
    with here, there:
        for message in (Ready(4, 30.0), Failure("it rains")):
            send(here, message)
            assert receive(there) == message


def test_an_error_is_described_in_one_short_line() -> None:
    assert describe(ValueError("first\nsecond")) == "ValueError: first"
    assert describe(KeyError()) == "KeyError"
    assert len(describe(RuntimeError("x" * 10_000))) < 300
