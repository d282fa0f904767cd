"""The pool with real processes: nothing that happens to one of them is felt beyond the segment that caused it."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import CancelledError
from concurrent.futures import wait as wait_for
from pathlib import Path

import numpy as np
import psutil
import pytest
from structlog.testing import capture_logs

from batchscribe.errors import EngineDied, EngineError, EngineNotAvailable, EngineTimeout
from batchscribe.segment import SAMPLE_RATE, Hearing, Segment
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.scripted import Script, ScriptedSpec, made_up
from batchscribe.speech.whisper import WhisperSpec

ANSWER_SEC = 20.0


def segment(start_sec: float = 0.0, duration_sec: float = 1.0) -> Segment:
    return Segment(0, start_sec, np.full(int(duration_sec * SAMPLE_RATE), 0.1, np.float32))


def scripted(**script: object) -> ScriptedSpec:
    return ScriptedSpec(script=Script(**script))  # type: ignore[arg-type]


def hear_all(pool: EnginePool, segments: list[Segment]) -> list[Hearing | BaseException]:
    futures = [pool.submit(each, "en-US") for each in segments]
    return [future.exception(ANSWER_SEC) or future.result() for future in futures]


def children() -> list[psutil.Process]:
    """Processes of engines: the fork server is our child, they are its children."""
    fork_servers = [
        child for child in psutil.Process().children() if "multiprocessing.forkserver" in str(child.cmdline())
    ]
    return [engine for server in fork_servers for engine in server.children()]


def test_hearings_come_back_to_those_who_asked_in_whatever_order() -> None:
    lengths = [0.5 + 0.25 * (number % 7) for number in range(60)]
    with EnginePool(ScriptedSpec(), workers=2) as pool:
        heard = hear_all(pool, [segment(i, length) for i, length in enumerate(lengths)])
    assert heard == [made_up(length) for length in lengths]


def test_processes_are_started_when_there_is_work_for_them_and_no_more_than_asked_for() -> None:
    before = len(children())
    with EnginePool(scripted(call_sec=0.3), workers=3) as pool:
        assert len(children()) == before
        pool.submit(segment(), "en-US").result(ANSWER_SEC)
        assert len(children()) == before + 1
        hear_all(pool, [segment() for _ in range(9)])
        assert len(children()) == before + 3
    assert len(children()) == before


def test_a_spec_may_allow_fewer_processes_than_there_are_workers() -> None:
    with EnginePool(ScriptedSpec(most_processes=1), workers=8) as pool:
        assert pool.workers == 1


def test_an_engine_that_likes_batches_gets_them() -> None:
    """Sixty calls of 0.2 s one by one would take 12 s."""
    with EnginePool(scripted(call_sec=0.2, batch_size=32), workers=1) as pool:
        heard = hear_all(pool, [segment(i) for i in range(60)])
        assert pool.busy_sec < 2.0
    assert heard == [made_up(1.0)] * 60


def test_a_process_that_dies_costs_one_retry_and_nothing_else(tmp_path: Path) -> None:
    spec = scripted(dies_at=frozenset({3.0}), only_once=tmp_path / "done", batch_size=4)
    with capture_logs() as logs, EnginePool(spec, workers=1) as pool:
        assert hear_all(pool, [segment(i) for i in range(8)]) == [made_up(1.0)] * 8
    assert [(line["event"], line["engine"]) for line in logs] == [("engine.replaced", "scripted")]


def test_a_segment_that_kills_its_process_twice_fails_alone() -> None:
    with EnginePool(scripted(dies_at=frozenset({3.0}), batch_size=4), workers=2) as pool:
        heard = hear_all(pool, [segment(i) for i in range(8)])
    assert isinstance(heard.pop(3), EngineDied)
    assert heard == [made_up(1.0)] * 7


def test_a_segment_that_raises_twice_fails_alone_and_says_why() -> None:
    with EnginePool(scripted(fails_at=frozenset({0.0}), batch_size=4), workers=1) as pool:
        failed, *others = hear_all(pool, [segment(i) for i in range(4)])
    assert type(failed) is EngineError
    assert "ValueError: the script says that this segment fails" in str(failed)
    assert others == [made_up(1.0)] * 3


def test_a_process_that_hangs_is_ended_and_its_segment_fails_alone() -> None:
    with EnginePool(scripted(hangs_at=frozenset({1.0})), workers=1, least_limit_sec=0.5) as pool:
        first, hung, last = hear_all(pool, [segment(0), segment(1), segment(2)])
    assert isinstance(hung, EngineTimeout)
    assert first == last == made_up(1.0)


def test_an_idle_process_that_was_killed_is_replaced() -> None:
    with EnginePool(ScriptedSpec(), workers=1) as pool:
        before = hear_all(pool, [segment()])
        [child] = children()
        child.kill()
        assert hear_all(pool, [segment()]) == before


def test_a_model_that_cannot_be_loaded_is_said_once_and_for_all_without_trying_forever(tmp_path: Path) -> None:
    with EnginePool(scripted(cannot_load_while=tmp_path), workers=2) as pool:
        first, second = hear_all(pool, [segment(), segment()])
        started_at = time.monotonic()
        later = hear_all(pool, [segment()] * 50)
        assert time.monotonic() - started_at < 1.0
    assert all(isinstance(error, EngineNotAvailable) for error in (first, second, *later))
    assert "cannot load made-up words (RuntimeError: the script says that loading fails)" in str(first)


def test_a_model_that_cannot_be_loaded_again_leaves_nobody_waiting(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    spec = scripted(dies_at=frozenset({1.0}), cannot_load_while=gone)
    with EnginePool(spec, workers=1) as pool:
        died = hear_all(pool, [segment(0), segment(1)])[1]
        gone.touch()
        later = hear_all(pool, [segment(2), segment(3)])
    assert isinstance(died, EngineDied)
    assert [type(error) for error in later] == [EngineNotAvailable] * 2


def test_a_model_folder_that_is_broken_is_told_apart_from_a_broken_recording(tmp_path: Path) -> None:
    spec = WhisperSpec(model="whisper-x", languages=("en",), speed=1.0, model_path=str(tmp_path))
    with EnginePool(spec, workers=1) as pool:
        [error] = hear_all(pool, [segment()])
    assert isinstance(error, EngineNotAvailable)
    assert "whisper-x" in str(error)


def test_a_process_that_dies_once_while_loading_gets_another_chance(tmp_path: Path) -> None:
    with EnginePool(scripted(dies_loading=True, only_once=tmp_path / "done"), workers=1) as pool:
        assert hear_all(pool, [segment()]) == [made_up(1.0)]


def test_a_process_that_dies_whenever_it_loads_is_given_up() -> None:
    with EnginePool(scripted(dies_loading=True), workers=1) as pool:
        [error] = hear_all(pool, [segment()])
    assert isinstance(error, EngineNotAvailable)
    assert "died" in str(error)


def test_a_cancelled_segment_is_not_heard() -> None:
    with EnginePool(scripted(call_sec=0.3), workers=1) as pool:
        futures = [pool.submit(segment(i), "en-US") for i in range(20)]
        for future in futures[1:-1]:
            future.cancel()
        wait_for(futures, ANSWER_SEC)
        assert futures[-1].result() == made_up(1.0)
        assert pool.busy_sec < 3.0


def test_closing_ends_everything_at_once_and_cancels_what_is_not_done() -> None:
    pool = EnginePool(scripted(hangs_at=frozenset({0.0, 1.0})), workers=2)
    futures = [pool.submit(segment(i), "en-US") for i in range(6)]
    while len(children()) < 2:
        time.sleep(0.01)
    time.sleep(0.3)
    started_at = time.monotonic()
    pool.close()
    assert time.monotonic() - started_at < 2.0
    assert children() == []
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(ANSWER_SEC)
    assert pool.submit(segment(), "en-US").cancelled()


def test_closing_a_pool_that_was_never_used_is_nothing() -> None:
    pool = EnginePool(ScriptedSpec(), workers=2)
    pool.close()
    pool.close()


def test_ctrl_c_does_not_reach_an_engine_at_work() -> None:
    with EnginePool(scripted(call_sec=0.5), workers=1) as pool:
        future = pool.submit(segment(), "en-US")
        while not children():
            time.sleep(0.01)
        time.sleep(0.2)
        for child in children():
            os.kill(child.pid, signal.SIGINT)
        assert future.result(ANSWER_SEC) == made_up(1.0)


def test_the_way_to_the_process_and_back_costs_little_cpu() -> None:
    """Measured 0.2 to 0.3 ms in this process for five seconds of audio; the limit leaves room for a busy machine."""
    five_seconds = segment(0.0, 5.0)
    with EnginePool(ScriptedSpec(), workers=1) as pool:
        hear_all(pool, [five_seconds])
        started_at = time.process_time()
        hear_all(pool, [five_seconds] * 300)
        assert (time.process_time() - started_at) / 300 < 0.002
