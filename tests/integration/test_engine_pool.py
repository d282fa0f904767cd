"""The pool with real processes: a failure of one affects only the window that caused it."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from structlog.testing import capture_logs

from batchscribe.children.watchdog import LOOK_SEC
from batchscribe.errors import EngineDied, EngineError, EngineTimeout, MachineTrouble
from batchscribe.metrics import REGISTRY
from batchscribe.speech import engine_thread
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.engine_child import OF_NO_RECORDING
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.scripted import Script, ScriptedSpec, make_up_text
from batchscribe.speech.whisper_spec import WhisperSpec
from batchscribe.window import SAMPLE_RATE, Recognition, Window
from tests.cpu_time import cpu_sec, least_cpu_sec
from tests.integration.command import wait_until
from tests.starvation import starved

ANSWER_SEC = 60.0  #: for a busy machine


def request(start_sec: float = 0.0, duration_sec: float = 1.0) -> RecognitionRequest:
    window = Window(0, start_sec, np.full(int(duration_sec * SAMPLE_RATE), 0.1, np.float32))
    return RecognitionRequest(window, "en-US")


def scripted(*, batch_size: int = 1, **script: object) -> ScriptedSpec:
    return ScriptedSpec(batch_size=batch_size, script=Script(**script))  # type: ignore[arg-type]


def recognize_all(pool: EnginePool, requests: list[RecognitionRequest]) -> list[Recognition | BaseException]:
    futures = [pool.submit(each) for each in requests]
    return [future.exception(ANSWER_SEC) or future.result() for future in futures]


def busy_sec() -> float:
    return REGISTRY.get_sample_value("batchscribe_engine_busy_seconds_total", {"engine": "scripted"}) or 0.0


def children() -> list[psutil.Process]:
    """Return the engine processes, which are children of the fork server."""
    fork_servers = [
        child for child in psutil.Process().children() if "multiprocessing.forkserver" in str(child.cmdline())
    ]
    return [engine for server in fork_servers for engine in server.children()]


@contextmanager
def stopped_engine() -> Iterator[psutil.Process]:
    """Stop the only engine process during the block, so that its call cannot end before the test is ready."""
    [engine] = children()
    engine.suspend()
    try:
        yield engine
    finally:
        engine.resume()


def test_recognitions_are_returned_to_their_requesters_in_any_order() -> None:
    lengths = [0.5 + 0.25 * (number % 7) for number in range(60)]
    with EnginePool(ScriptedSpec(), processes=2) as pool:
        recognized = recognize_all(pool, [request(i, length) for i, length in enumerate(lengths)])
    assert recognized == [make_up_text(length) for length in lengths]


def test_processes_start_on_demand_up_to_the_configured_number() -> None:
    before = len(children())
    with EnginePool(scripted(call_sec=0.3), processes=3) as pool:
        assert len(children()) == before
        pool.submit(request()).result(ANSWER_SEC)
        assert len(children()) == before + 1
        recognize_all(pool, [request() for _ in range(9)])
        assert len(children()) == before + 3
    assert len(children()) == before


def test_a_spec_may_allow_fewer_processes_than_the_settings() -> None:
    with EnginePool(ScriptedSpec(most_processes=1), processes=8) as pool:
        assert pool.processes == 1


def test_an_engine_that_likes_batches_gets_them() -> None:
    """Sixty calls of 0.2 s one by one would take 12 s."""
    with EnginePool(scripted(batch_size=32, call_sec=0.2), processes=1) as pool:
        before_sec = busy_sec()
        recognized = recognize_all(pool, [request(i) for i in range(60)])
        assert busy_sec() - before_sec < 6.0
    assert recognized == [make_up_text(1.0)] * 60


def test_files_take_turns_at_the_engines() -> None:
    done: list[Future[Recognition]] = []
    with EnginePool(ScriptedSpec(), processes=1) as pool:
        recognize_all(pool, [request()])
        with stopped_engine():
            long = [pool.submit(request(start_sec), "long") for start_sec in range(4)]
            short = pool.submit(request(), "short")
            for future in (*long, short):
                future.add_done_callback(done.append)
        wait_for([*long, short], ANSWER_SEC)
    assert [future for future in done if future is not short] == long
    assert done.index(short) <= 2, "it waits for the window in hand, and for one of the other file at most"


def test_a_pool_has_enough_when_a_full_batch_waits_for_each_engine() -> None:
    """That is six windows. The two engines hang as soon as they have taken that many at most."""
    with EnginePool(scripted(batch_size=3, hangs_at=frozenset({0.0})), processes=2) as pool:
        has_enough = []
        for _ in range(12):
            pool.submit(request(0.0))
            has_enough.append(pool.has_enough)
    assert has_enough[:5] == [False] * 5
    assert has_enough[11]


def test_a_process_that_dies_costs_one_retry_and_nothing_else(tmp_path: Path) -> None:
    spec = scripted(dies_at=frozenset({3.0}), only_once=tmp_path / "done", batch_size=4)
    with capture_logs() as logs, EnginePool(spec, processes=1) as pool:
        assert recognize_all(pool, [request(i) for i in range(8)]) == [make_up_text(1.0)] * 8
    assert [(line["event"], line["engine"]) for line in logs] == [("engine.replaced", "scripted")]


def test_a_window_that_kills_its_process_twice_fails_alone() -> None:
    with EnginePool(scripted(dies_at=frozenset({3.0}), batch_size=4), processes=2) as pool:
        recognized = recognize_all(pool, [request(i) for i in range(8)])
    assert isinstance(recognized.pop(3), EngineDied)
    assert recognized == [make_up_text(1.0)] * 7


def test_a_window_that_raises_twice_fails_alone_and_the_log_has_only_the_class_of_the_error() -> None:
    """A recording may have taken over the engine, so its messages are never shown to a tenant."""
    with (
        capture_logs() as logged,
        EnginePool(scripted(fails_at=frozenset({0.0}), batch_size=4), processes=1) as pool,
    ):
        failed, *others = recognize_all(pool, [request(i) for i in range(4)])
    assert type(failed) is EngineError
    assert str(failed) == "Engine scripted failed on part of the speech; the worker's log has the reason."
    assert {line["reason"] for line in logged} == {"ValueError"}
    assert others == [make_up_text(1.0)] * 3


def test_the_message_of_an_error_in_a_trial_is_reported() -> None:
    failing = scripted(fails_at=frozenset({OF_NO_RECORDING}))
    with (
        EnginePool(failing, processes=1) as pool,
        pytest.raises(MachineTrouble, match="ValueError: the script says that this window fails"),
    ):
        pool.try_out()


@pytest.mark.parametrize("message", [None, "CUDA failed with error out of memory"])
def test_a_batch_that_does_not_fit_into_memory_is_divided_and_the_process_lives(message: str | None) -> None:
    spec = scripted(batch_size=32, call_sec=0.1, memory_windows=5, memory_error=message)
    with capture_logs() as logs, EnginePool(spec, processes=1) as pool:
        recognize_all(pool, [request()])
        [engine] = children()
        lengths = [0.5 + number / 10 for number in range(32)]
        assert recognize_all(pool, [request(i, length) for i, length in enumerate(lengths)]) == [
            make_up_text(length) for length in lengths
        ]
        assert children() == [engine]
    assert logs == []


@pytest.mark.parametrize("message", [None, "CUDA failed with error out of memory"])
def test_a_single_window_that_does_not_fit_into_memory_is_a_shortage(message: str | None) -> None:
    spec = scripted(batch_size=4, memory_windows=0, memory_error=message)
    with EnginePool(spec, processes=1) as pool:
        [error] = recognize_all(pool, [request()])
    assert isinstance(error, EngineError)
    assert isinstance(error.__cause__, MemoryError)


def test_a_process_that_hangs_is_ended_and_its_window_fails_alone() -> None:
    with EnginePool(scripted(hangs_at=frozenset({1.0})), processes=1, idle_limit_sec=0.5) as pool:
        first, hung, last = recognize_all(pool, [request(0), request(1), request(2)])
    assert isinstance(hung, EngineTimeout)
    assert "hangs: it used no CPU for 0.5 s" in str(hung)
    assert first == last == make_up_text(1.0)


STARVED_SEC = 15.0
AT_ONCE_SEC = 30.0  #: on a busy machine; half of the time after which an engine process that hangs is ended


def test_an_engine_process_without_a_core_is_not_killed() -> None:
    """It waits 15 times as long as it may be idle."""
    with (
        capture_logs() as logs,
        EnginePool(scripted(cpu_per_audio_sec=0.3), processes=1, idle_limit_sec=1.0) as pool,
    ):
        recognize_all(pool, [request()])
        [engine] = children()
        used_sec = cpu_sec(engine.pid)
        with starved(engine.pid, 4 * STARVED_SEC):
            future = pool.submit(request())
            time.sleep(STARVED_SEC)
            assert not future.done(), future.exception() or "it was not starved, so this proves nothing"
            assert cpu_sec(engine.pid) - used_sec < 0.3
        assert future.result(6 * ANSWER_SEC) == make_up_text(1.0)
        assert children() == [engine]
    assert logs == []


def test_a_window_outlasts_a_moment_in_which_its_parent_may_open_no_more_files() -> None:
    """As on a server with too many connections. The watchdog reads a file at every check."""
    with EnginePool(scripted(call_sec=3 * LOOK_SEC), processes=1) as pool:
        pool.submit(request()).result(ANSWER_SEC)
        future = pool.submit(request())
        with no_more_open_files():
            wait_for([future], timeout=ANSWER_SEC)
        assert future.result(ANSWER_SEC) == make_up_text(1.0)


@contextmanager
def no_more_open_files() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, limits[0]), limits[1]))
    try:
        with suppress(OSError):
            while True:
                held.append(os.dup(0))
        yield
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_process_that_computes_without_end_is_ended_and_its_window_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_thread, "LEAST_CPU_SEC", 1.0)
    endless = ScriptedSpec(speed=1000.0, script=Script(cpu_per_audio_sec=600.0))
    with EnginePool(endless, processes=1) as pool:
        [error] = recognize_all(pool, [request()])
    assert isinstance(error, EngineTimeout)
    assert "hangs: it used 1 s of CPU without an answer" in str(error)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unexpected_error_leaves_no_request_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> list[Recognition]:
        raise MemoryError

    monkeypatch.setattr("batchscribe.speech.engine_process.EngineProcess.transcribe", fail)
    with EnginePool(ScriptedSpec(), processes=1) as pool:
        errors = recognize_all(pool, [request(0), request(1)])
        errors += recognize_all(pool, [request(2)])
    for thread in [each for each in threading.enumerate() if each.name.startswith("speech-")]:
        thread.join()  # its message would be attributed to the next test
    assert ["An unexpected error ended the thread" in str(error) for error in errors] == [True] * 3


def test_an_idle_process_that_was_killed_is_replaced() -> None:
    with EnginePool(ScriptedSpec(), processes=1) as pool:
        before = recognize_all(pool, [request()])
        [child] = children()
        child.kill()
        assert recognize_all(pool, [request()]) == before


def test_a_model_that_cannot_be_loaded_is_reported_until_a_trial_succeeds(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    with EnginePool(scripted(cannot_load_while=broken), processes=2) as pool:
        first, second = recognize_all(pool, [request(), request()])
        wait_until(lambda: not children())
        later = recognize_all(pool, [request()] * 50)
        assert not children(), "nobody tries to load it again for each of them"
        with pytest.raises(MachineTrouble, match="cannot load made-up words"):
            pool.try_out()
        broken.unlink()
        pool.try_out()
        assert recognize_all(pool, [request()] * 4) == [make_up_text(1.0)] * 4
    assert all(isinstance(error, MachineTrouble) for error in (first, second, *later))
    assert "cannot load made-up words on cpu (RuntimeError: the script says that loading fails)" in str(first)


def test_a_model_that_cannot_be_reloaded_leaves_no_request_waiting(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    spec = scripted(dies_at=frozenset({1.0}), cannot_load_while=gone)
    with EnginePool(spec, processes=1) as pool:
        died = recognize_all(pool, [request(0), request(1)])[1]
        gone.touch()
        later = recognize_all(pool, [request(2), request(3)])
    assert isinstance(died, EngineDied)
    assert [type(error) for error in later] == [MachineTrouble] * 2


def test_a_broken_model_folder_is_distinguished_from_a_broken_recording(tmp_path: Path) -> None:
    spec = WhisperSpec(model="whisper-x", languages=("en",), speed=1.0, model_path=str(tmp_path))
    with EnginePool(spec, processes=1) as pool:
        [error] = recognize_all(pool, [request()])
    assert isinstance(error, MachineTrouble)
    assert "whisper-x" in str(error)


def test_a_process_that_dies_once_while_loading_gets_another_chance(tmp_path: Path) -> None:
    with EnginePool(scripted(dies_loading=True, only_once=tmp_path / "done"), processes=1) as pool:
        assert recognize_all(pool, [request()]) == [make_up_text(1.0)]


def test_a_process_that_always_dies_while_loading_is_abandoned() -> None:
    with EnginePool(scripted(dies_loading=True), processes=1) as pool:
        [error] = recognize_all(pool, [request()])
    assert isinstance(error, MachineTrouble)
    assert "died" in str(error)


def test_a_canceled_window_is_not_transcribed() -> None:
    with EnginePool(scripted(call_sec=0.3), processes=1) as pool:
        before_sec = busy_sec()
        futures = [pool.submit(request(i)) for i in range(20)]
        for future in futures[1:-1]:
            future.cancel()
        wait_for(futures, ANSWER_SEC)
        assert futures[-1].result() == make_up_text(1.0)
        assert busy_sec() - before_sec < 3.0


def test_closing_ends_everything_at_once_and_cancels_what_is_not_done() -> None:
    pool = EnginePool(scripted(hangs_at=frozenset({0.0, 1.0})), processes=2)
    futures = [pool.submit(request(i)) for i in range(6)]
    wait_until(lambda: len(children()) == 2)
    time.sleep(0.3)
    started_at = time.monotonic()
    pool.close()
    assert time.monotonic() - started_at < AT_ONCE_SEC
    assert children() == []
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(ANSWER_SEC)
    assert pool.submit(request()).cancelled()


def test_closing_a_pool_that_was_never_used_is_nothing() -> None:
    pool = EnginePool(ScriptedSpec(), processes=2)
    pool.close()
    pool.close()


def test_ctrl_c_does_not_reach_an_engine_at_work() -> None:
    with EnginePool(scripted(call_sec=0.5), processes=1) as pool:
        future = pool.submit(request())
        wait_until(lambda: bool(children()))
        time.sleep(0.2)
        for child in children():
            os.kill(child.pid, signal.SIGINT)
        assert future.result(ANSWER_SEC) == make_up_text(1.0)


def test_the_way_to_the_process_and_back_costs_little_cpu() -> None:
    """Measured 0.2 to 0.3 ms in this process for five seconds of audio; the limit leaves room for a busy machine."""
    five_seconds = request(0.0, 5.0)
    with EnginePool(ScriptedSpec(), processes=1) as pool:
        recognize_all(pool, [five_seconds])
        assert least_cpu_sec(lambda: recognize_all(pool, [five_seconds] * 300)) / 300 < 0.002


def test_a_batch_whose_windows_are_all_canceled_is_abandoned(tmp_path: Path) -> None:
    """Its engine would be busy for an hour. The windows of others do not wait for that."""
    mark = tmp_path / "hangs"
    with EnginePool(scripted(batch_size=2, hangs_at=frozenset({0.0}), only_once=mark), processes=1) as pool:
        futures = [pool.submit(request(0.0)), pool.submit(request(1.0))]
        wait_until(mark.exists)
        [busy] = children()
        assert futures[0].cancel()
        time.sleep(2.0)
        assert busy.is_running(), "the other window is still wanted"
        assert futures[1].cancel()
        busy.wait(ANSWER_SEC)
        assert recognize_all(pool, [request(2.0)]) == [make_up_text(1.0)]


def cancel_its_call(pool: EnginePool) -> None:
    """Cancel the only window of a call, and leave the pool the time to abandon it."""
    future = pool.submit(request())
    wait_until(lambda: pool._queue.backlog == 0)  # noqa: SLF001
    assert future.cancel()
    time.sleep(1.5 * LOOK_SEC)


def test_a_canceled_batch_is_finished_if_loading_the_model_again_would_take_longer() -> None:
    """For example, the last windows of a damaged recording. They would otherwise cost the other files a load."""
    with EnginePool(scripted(load_sec=5.0), processes=1) as pool:
        recognize_all(pool, [request()])
        with stopped_engine() as busy:
            cancel_its_call(pool)
        assert recognize_all(pool, [request(2.0)]) == [make_up_text(1.0)]
        assert busy.is_running()


def test_a_canceled_batch_on_a_gpu_is_finished() -> None:
    """Loading the model again would take longer."""
    with EnginePool(replace(scripted(), device="cuda"), processes=1) as pool:
        recognize_all(pool, [request()])
        with stopped_engine() as busy:
            cancel_its_call(pool)
        assert recognize_all(pool, [request(2.0)]) == [make_up_text(1.0)]
        assert busy.is_running()
