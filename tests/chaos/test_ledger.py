"""The harness itself, because nothing else would find what it misses."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from batchscribe.audio.segmenter import WholeSegmenter
from batchscribe.window import Window
from tests.chaos.calls import call, number_in
from tests.chaos.ledger import Ledger
from tests.chaos.orders import Orders
from tests.chaos.steps import STEPS


def windows(recording: bytes) -> list[Window]:
    with wave.open(io.BytesIO(recording)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)
    cutter = WholeSegmenter(0)
    return [*cutter.accept(samples), *cutter.finish()]


@pytest.mark.parametrize("number", [0, 1, 77_777, 2**24 - 1])
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_each_window_of_a_call_says_its_number(number: int, pieces: int) -> None:
    said = [number_in(window.samples) for window in windows(call(number, pieces=pieces))]
    assert said == [number] * pieces


def test_the_ledger_is_one_for_all_that_write_in_it(tmp_path: Path) -> None:
    one, other = Ledger(tmp_path / "ledger"), Ledger(tmp_path / "ledger")
    one.note("start", number=1)
    other.note("put", key="a")
    one.note("start", number=2)
    assert [entry.facts for entry in other.entries("start")] == [{"number": 1}, {"number": 2}]
    assert [entry.kind for entry in one.entries()] == ["start", "put", "start"]
    with other.path.open("a") as file:
        file.write('{"at": 1.0, "pid": 1, "ki')
    assert len(one.entries()) == 3, "the append of the fourth is not finished"


def test_an_order_is_taken_by_one_alone(tmp_path: Path) -> None:
    orders = Orders(tmp_path / "orders")
    orders.give("page-stored")
    assert orders.open() == ["page-stored"]
    assert [orders.withdraw("page-stored"), orders.withdraw("page-stored")] == [True, False]
    assert orders.open() == []


def test_every_step_has_a_name_of_its_own() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS)
