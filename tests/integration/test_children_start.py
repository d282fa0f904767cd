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

from batchscribe.audio.decoder_process import DecoderProcess
from batchscribe.speech.engine_process import EngineProcess
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


@pytest.mark.parametrize("start", [decoder, engine])
def test_a_child_starts_although_the_fork_server_dies_meanwhile(start: Start) -> None:
    with started(start):
        server = fork_server()
    server.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as thread:
        child = thread.submit(start)
        time.sleep(1.0)  # until it waits for the answer of a server that is stopped
        assert not child.done()
        server.kill()
        child.result().end()
    assert fork_server() != server
