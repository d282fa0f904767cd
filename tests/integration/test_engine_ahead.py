"""Engines that get their next batch early, and several devices, with real processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from batchscribe.errors import EngineDied, EngineError, EngineTimeout, MachineTrouble, WorkInterrupted
from batchscribe.metrics import REGISTRY
from batchscribe.speech import pool_devices
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.scripted import Script, ScriptedSpec, make_up_text
from tests.integration.command import wait_until
from tests.integration.test_engine_pool import ANSWER_SEC, AT_ONCE_SEC, children, recognize_all, request

TEXT = make_up_text(1.0)


def ahead(*, batch_size: int = 4, **script: object) -> ScriptedSpec:
    return ScriptedSpec(batch_size=batch_size, reads_ahead=True, script=Script(**script))  # type: ignore[arg-type]


def gpus(count: int, **script: object) -> ScriptedSpec:
    devices = tuple(f"cuda:{number}" for number in range(count))
    script = {"call_sec": 0.05} | script
    return ScriptedSpec(device="cuda", devices=devices, batch_size=2, script=Script(**script))  # type: ignore[arg-type]


def test_a_batch_is_prepared_while_the_one_before_is_transcribed() -> None:
    """The call with the first window ends only if the next batch is prepared meanwhile."""
    with EnginePool(ahead(waits_at=frozenset({0.0})), processes=1) as pool:
        assert recognize_all(pool, [request(number) for number in range(8)]) == [TEXT] * 8


def test_an_engine_that_does_not_read_ahead_prepares_one_batch_at_a_time() -> None:
    spec = replace(ahead(waits_at=frozenset({0.0}), longest_wait_sec=0.5), reads_ahead=False)
    with EnginePool(spec, processes=1) as pool:
        first, *others = recognize_all(pool, [request(number) for number in range(8)])
    assert type(first) is EngineError
    assert others == [TEXT] * 7


def test_recognitions_of_early_batches_go_to_their_requesters() -> None:
    lengths = [0.5 + 0.25 * (number % 7) for number in range(60)]
    with EnginePool(ahead(call_sec=0.02), processes=2) as pool:
        recognized = recognize_all(pool, [request(i, length) for i, length in enumerate(lengths)])
    assert recognized == [make_up_text(length) for length in lengths]


def test_no_more_than_one_batch_is_taken_early() -> None:
    with EnginePool(ahead(hangs_at=frozenset({0.0})), processes=1) as pool:
        for number in range(20):
            pool.submit(request(number))
        wait_until(lambda: pool.has_enough and len(pool._queue._waiting) == 1 and pool._queue.backlog <= 12)  # noqa: SLF001
        time.sleep(0.3)
        assert pool._queue.backlog in (12, 15)  # noqa: SLF001 - the first batch had one window, or four


def test_a_process_that_dies_with_two_batches_retries_only_the_first_window_by_window(tmp_path: Path) -> None:
    def retries() -> float:
        return REGISTRY.get_sample_value("batchscribe_retries_total", {"what": "engine"}) or 0.0

    spec = ahead(call_sec=0.2, dies_at=frozenset({5.0}), only_once=tmp_path / "done")
    with capture_logs() as logs, EnginePool(spec, processes=1) as pool:
        recognize_all(pool, [request(100)])
        before = retries()
        assert recognize_all(pool, [request(i) for i in range(17)]) == [TEXT] * 17
        assert retries() - before == 4
    assert [line["event"] for line in logs] == ["engine.replaced"]


@pytest.mark.parametrize(
    ("script", "error"), [("dies_at", EngineDied), ("hangs_at", EngineTimeout), ("fails_at", EngineError)]
)
@pytest.mark.parametrize("at", [0, 3, 6, 13])
def test_a_faulty_window_fails_alone_in_whichever_batch_it_is(script: str, error: type[Exception], at: int) -> None:
    spec = ahead(**{script: frozenset({float(at)})})  # type: ignore[arg-type]
    with EnginePool(spec, processes=1, idle_limit_sec=0.5) as pool:
        recognized = recognize_all(pool, [request(i) for i in range(14)])
    assert isinstance(recognized.pop(at), error)
    assert recognized == [TEXT] * 13


def test_closing_cancels_both_batches() -> None:
    pool = EnginePool(ahead(hangs_at=frozenset({0.0})), processes=1)
    futures = [pool.submit(request(i)) for i in range(12)]
    wait_until(lambda: bool(children()))
    time.sleep(0.5)
    began_at = time.monotonic()
    pool.close()
    assert time.monotonic() - began_at < AT_ONCE_SEC
    assert children() == []
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(ANSWER_SEC)


def test_a_model_that_cannot_be_loaded_again_fails_both_batches(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with EnginePool(ahead(call_sec=0.3, dies_at=frozenset({1.0}), cannot_load_while=gone), processes=1) as pool:
        recognize_all(pool, [request(100)])
        gone.touch()
        errors = recognize_all(pool, [request(i) for i in range(12)])
    assert MachineTrouble in {type(error) for error in errors}
    assert {type(error) for error in errors} <= {MachineTrouble, type(TEXT)}
    assert type(errors[11]) is MachineTrouble


def test_each_device_has_a_process() -> None:
    with EnginePool(gpus(3), processes=1) as pool:
        assert pool.processes == 3
        assert recognize_all(pool, [request(i) for i in range(30)]) == [TEXT] * 30
        assert len(children()) == 3


def processes_that_may_run() -> float | None:
    return REGISTRY.get_sample_value("batchscribe_engine_processes", {"engine": "scripted"})


@pytest.mark.parametrize("reads_ahead", [False, True])
def test_the_others_take_over_the_windows_of_a_lost_device(tmp_path: Path, reads_ahead: bool) -> None:
    spec = replace(gpus(2, lost_devices=tmp_path), reads_ahead=reads_ahead)
    with capture_logs() as logs, EnginePool(spec, processes=1) as pool:
        pool.try_out()  # starts both
        assert processes_that_may_run() == 2
        futures = [pool.submit(request(i)) for i in range(60)]
        (tmp_path / "cuda:1").touch()
        assert [future.exception(ANSWER_SEC) or future.result() for future in futures] == [TEXT] * 60
        assert len(children()) == 1
        assert processes_that_may_run() == 1
    events = [(line["event"], line["device"]) for line in logs]
    assert events == [("engine.replaced", "cuda:1"), ("engine.device_unfit", "cuda:1")]
    assert "cannot load made-up words on cuda:1" in logs[-1]["reason"]


def test_a_trial_brings_a_lost_device_back(tmp_path: Path) -> None:
    (tmp_path / "cuda:0").touch()
    with EnginePool(gpus(2, lost_devices=tmp_path), processes=1) as pool:
        pool.try_out()
        assert recognize_all(pool, [request(i) for i in range(20)]) == [TEXT] * 20
        assert len(children()) == 1
        (tmp_path / "cuda:0").unlink()
        pool.try_out()
        assert processes_that_may_run() == 2
        assert recognize_all(pool, [request(i) for i in range(20)]) == [TEXT] * 20
        assert len(children()) == 2


def test_a_lost_device_is_tried_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_devices, "RETRY_SEC", 0.5)
    (tmp_path / "cuda:0").touch()
    with capture_logs() as logs, EnginePool(gpus(2, lost_devices=tmp_path), processes=1) as pool:
        assert recognize_all(pool, [request(i) for i in range(20)]) == [TEXT] * 20
        (tmp_path / "cuda:0").unlink()
        time.sleep(0.6)
        assert recognize_all(pool, [request(i) for i in range(20)]) == [TEXT] * 20
        wait_until(lambda: processes_that_may_run() == 2)
    assert {line["event"] for line in logs} == {"engine.device_unfit", "engine.device_fit_again"}


def test_a_device_that_fails_its_trial_gets_no_more_windows(tmp_path: Path) -> None:
    with EnginePool(gpus(2, lost_devices=tmp_path), processes=1) as pool:
        recognize_all(pool, [request(i) for i in range(20)])
        (tmp_path / "cuda:1").touch()
        pool.try_out()
        wait_until(lambda: len(children()) == 1)
        assert recognize_all(pool, [request(i) for i in range(20)]) == [TEXT] * 20


def lose_one(folder: Path) -> None:
    (folder / "cuda:0").touch()


def lose_all(folder: Path) -> None:
    lose_one(folder)
    (folder / "cuda:1").touch()


@pytest.mark.parametrize(("count", "lose"), [(1, lose_one), (2, lose_all)])
def test_if_no_device_is_left_the_machine_is_in_trouble_until_a_trial_succeeds(
    tmp_path: Path, count: int, lose: Callable[[Path], None]
) -> None:
    with EnginePool(gpus(count, lost_devices=tmp_path), processes=1) as pool:
        recognize_all(pool, [request(i) for i in range(8)])
        lose(tmp_path)
        errors = recognize_all(pool, [request(i) for i in range(8)])
        assert all(isinstance(error, EngineError | MachineTrouble) for error in errors)
        assert isinstance(errors[-1], MachineTrouble)
        assert "on cuda:" in str(errors[-1])
        with pytest.raises(MachineTrouble, match=r"cannot load made-up words on cuda:0 \(.*cuda:0 is lost\)"):
            pool.try_out()
        for mark in tmp_path.iterdir():
            mark.unlink()
        pool.try_out()
        assert recognize_all(pool, [request(i) for i in range(8)]) == [TEXT] * 8


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("reads_ahead", [False, True])
def test_a_trial_of_a_busy_device_needs_no_memory_for_a_second_model(
    tmp_path: Path, count: int, reads_ahead: bool
) -> None:
    for number in range(count):
        (tmp_path / f"cuda:{number}").touch()
    spec = replace(gpus(count, device_memory=tmp_path, fails_at=frozenset({5.0})), reads_ahead=reads_ahead)
    with EnginePool(spec, processes=1) as pool:
        recognize_all(pool, [request(100 + i) for i in range(4 * count)])
        pool.try_out()
        engines = children()
        assert len(engines) == count
        futures = [pool.submit(request(100 + i)) for i in range(40)]
        pool.try_out()
        assert [future.result(ANSWER_SEC) for future in futures] == [TEXT] * 40
        assert children() == engines
        faulty, *others = recognize_all(pool, [request(5 + i) for i in range(20)])
        assert (type(faulty), others) == (EngineError, [TEXT] * 19)
        pool.try_out()
        assert processes_that_may_run() == count


def test_windows_of_a_failed_batch_that_are_canceled_are_not_tried_again() -> None:
    """Each would cost the time limit if the GPU hangs: 12 s in all."""
    spec = replace(gpus(1, hangs_at=frozenset(range(8))), batch_size=8)
    with EnginePool(spec, processes=1, idle_limit_sec=2.0) as pool:
        pool.submit(request(100)).result(ANSWER_SEC)
        pool.submit(request(0))
        wait_until(lambda: pool._queue.backlog == 0)  # noqa: SLF001
        futures = [pool.submit(request(i)) for i in range(8)]
        assert isinstance(futures[0].exception(3 * ANSWER_SEC), EngineTimeout)
        for future in futures[2:]:
            future.cancel()
        assert isinstance(futures[1].exception(ANSWER_SEC), EngineTimeout)
        began_at = time.monotonic()
        assert recognize_all(pool, [request(100)]) == [TEXT]
        assert time.monotonic() - began_at < 9.0, "canceled windows are not sent again"


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_trial_runs_between_the_windows_that_are_tried_again(tmp_path: Path, is_lost: bool) -> None:
    """So a device that is lost costs no further windows."""
    spec = replace(gpus(1, fails_at=frozenset({0.0}), window_sec=0.5, lost_devices=tmp_path), batch_size=8)
    with EnginePool(spec, processes=1) as pool:
        futures = [pool.submit(request(100)), *(pool.submit(request(i)) for i in range(8))]
        assert isinstance(futures[1].exception(ANSWER_SEC), EngineError)
        if is_lost:
            (tmp_path / "cuda:0").touch()
            with pytest.raises(MachineTrouble, match="cuda:0 is lost"):
                pool.try_out()
            assert all(future.done() for future in futures)
            assert isinstance(futures[-1].exception(), MachineTrouble)
        else:
            pool.try_out()
            assert not futures[-1].done()
            assert futures[-1].result(ANSWER_SEC) == TEXT


def test_closing_interrupts_a_trial_that_waits_for_a_batch(tmp_path: Path) -> None:
    mark = tmp_path / "hangs"
    pool = EnginePool(gpus(1, hangs_at=frozenset({0.0}), only_once=mark), processes=1)
    pool.submit(request(0))
    wait_until(mark.exists)
    with ThreadPoolExecutor(1) as thread:
        trial = thread.submit(pool.try_out)
        time.sleep(0.5)
        assert not trial.done()
        pool.close()
        with pytest.raises(WorkInterrupted):
            trial.result(ANSWER_SEC)
    with pytest.raises(WorkInterrupted):
        pool.try_out()
