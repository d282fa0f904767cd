"""Starting a child process while the server that it is forked from dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

import psutil
import pytest

from batchscribe.audio.process import DecoderProcess
from batchscribe.errors import DecoderDied, EngineDied
from batchscribe.speech.process import EngineProcess
from batchscribe.speech.scripted import ScriptedSpec

Start = Callable[[], "Child"]


class Child(Protocol):
    def end(self) -> None: ...


def decoder() -> Child:
    return DecoderProcess(memory_bytes=2**31, stall_sec=5.0)


def engine() -> Child:
    return EngineProcess(ScriptedSpec())


@contextmanager
def started(start: Start) -> Iterator[None]:
    child = start()
    try:
        yield
    finally:
        child.end()


def fork_server() -> psutil.Process:
    (found,) = [child for child in psutil.Process().children() if "forkserver" in " ".join(child.cmdline())]
    return found


@pytest.mark.parametrize(("start", "error"), [(decoder, DecoderDied), (engine, EngineDied)])
def test_a_fork_server_that_dies_is_told_as_a_child_that_died_and_the_next_one_starts(
    start: Start, error: type[Exception]
) -> None:
    with started(start):
        server = fork_server()
    server.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(start)
        time.sleep(1.0)  # until it waits for the answer of a server that is stopped
        assert not asked.done()
        server.kill()
        with pytest.raises(error, match="fork server died"):
            asked.result()
    with started(start):
        assert fork_server() != server
