"""How many recordings are in progress at once, if one engine process takes many windows per call."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from concurrent.futures import Future
from pathlib import Path

import pytest

from batchscribe.speech.engine import RecognitionRequest
from batchscribe.speech.inline import InlinePool
from batchscribe.speech.scripted import ScriptedSpec
from batchscribe.window import Recognition
from tests.integration.command import wait_until
from tests.integration.flow_runner import running
from tests.recordings import write_wav

pytestmark = pytest.mark.usefixtures("database")

FILES = 12


class Patient(InlinePool):
    """Keeps windows until those of `wanted` recordings wait, or until `release`."""

    has_enough = True

    def __init__(self, wanted: int) -> None:
        super().__init__(ScriptedSpec())
        self.files: set[Hashable] = set()
        self.most_waiting = 0
        self._wanted = wanted
        self._kept: list[tuple[RecognitionRequest, Future[Recognition]]] = []
        self._is_open = False
        self._guard = threading.Lock()

    def submit(self, request: RecognitionRequest, file: Hashable = None) -> Future[Recognition]:
        future: Future[Recognition] = Future()
        with self._guard:
            self.files.add(file)
            self._kept.append((request, future))
            is_full = len(self.files) >= self._wanted
        if is_full or self._is_open:
            self.release()
        return future

    def release(self) -> None:
        self._is_open = True
        with self._guard:
            kept, self._kept = self._kept, []
        for request, future in kept:
            future.set_result(self._transcribe(request))


def test_as_many_recordings_as_the_setting_allows_wait_for_the_engine_together(tmp_path: Path) -> None:
    """One engine process and one decoder; the engine transcribes nothing before it has a window of each recording."""
    for number in range(FILES):
        write_wav(tmp_path / "calls" / f"{number:02}.wav", seed=number)
    pool = Patient(FILES)
    with running(
        tmp_path, make_pool=lambda _spec, _processes: pool, engine_processes=1, files_in_progress=FILES
    ) as runner:
        job = runner.run()
    assert job.summary.succeeded == FILES


def test_no_more_recordings_have_a_decoder_than_two_for_each_that_may_decode(tmp_path: Path) -> None:
    """The recordings have more windows than may wait, so each keeps its decoder until the engine takes some."""
    for number in range(6):
        write_wav(tmp_path / "calls" / f"{number}.wav", seed=number, duration_sec=100.0)
    pool = Patient(FILES)
    with running(tmp_path, make_pool=lambda _spec, _processes: pool, engine_processes=1, files_in_progress=6) as runner:
        job = runner.submit()
        wait_until(lambda: len(pool.files) >= 2)
        time.sleep(1.0)
        assert len(pool.files) == 2
        pool.release()
        assert runner.wait(job).summary.succeeded == 6
    assert len(pool.files) == 6
