"""The start of child processes while the server that they are forked from dies, and their end."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Protocol

import psutil
import pytest

from batchscribe.audio.decoder_process import DecoderProcess
from batchscribe.children.child import Child as RunningChild
from batchscribe.children.framing import receive
from batchscribe.children.pipe import Pipe
from batchscribe.children.start import start_piped
from batchscribe.speech.engine_process import EngineProcess
from batchscribe.speech.scripted import ScriptedSpec
from tests.integration.command import wait_until
from tests.integration.loading_children import load_decoder, load_speakers

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


@pytest.mark.parametrize(("start", "name"), [(decoder, "decoder"), (engine, "engine-scripted")])
def test_a_child_shows_its_kind_in_the_process_list(start: Start, name: str) -> None:
    """Otherwise `top` shows the command line of the fork server for all of them."""
    with started(start):
        wait_until(lambda: name in names_of_children())


def names_of_children() -> list[str]:
    return [child.name() for child in psutil.Process().children(recursive=True)]


@pytest.mark.parametrize("has_pidfd", [True, False])
def test_a_child_that_has_ended_is_not_killed(has_pidfd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process ID may belong to another program. The signals that would be sent are recorded."""
    child, connection = started_child(monkeypatch, has_pidfd=has_pidfd)
    process = psutil.Process(child.pid)
    process.kill()
    wait_until(lambda: not psutil.pid_exists(process.pid))  # ended, and removed by the fork server
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *signal_and_target: sent.append(signal_and_target))
    child.end()
    connection.close()
    assert sent == []


@pytest.mark.parametrize("has_pidfd", [True, False])
def test_a_running_child_is_killed(has_pidfd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    child, connection = started_child(monkeypatch, has_pidfd=has_pidfd)
    process = psutil.Process(child.pid)
    child.end()
    connection.close()
    assert not process.is_running()
    assert process.pid not in [each.pid for each in multiprocessing.active_children()]


def started_child(monkeypatch: pytest.MonkeyPatch, *, has_pidfd: bool) -> tuple[RunningChild, Connection]:
    """A child that waits; without `has_pidfd`, as on a system without pidfds."""
    with monkeypatch.context() as patched:
        if not has_pidfd:
            patched.setattr(os, "pidfd_open", refuse)
        return start_piped(wait_for_the_end, name="waits")


def wait_for_the_end(connection: Connection) -> None:
    connection.poll(60)


def refuse(_pid: int) -> int:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def state_while_loading(target: Callable[[Connection], None]) -> dict[str, object]:
    child, connection = start_piped(target, name="loading")
    try:
        return receive(Pipe(connection))[0]
    finally:
        child.end()
        connection.close()


@pytest.mark.parametrize("target", [load_decoder, load_speakers])
def test_interrupting_the_command_does_not_end_a_child_that_loads(target: Callable[[Connection], None]) -> None:
    """Otherwise Ctrl-C looks as if the machine could not start such processes."""
    assert state_while_loading(target)["ignores_interrupt"] is True


def test_a_speaker_process_multiplies_matrices_in_one_thread() -> None:
    """Then the turns do not depend on the number of cores."""
    assert state_while_loading(load_speakers)["blas_threads"] == [1]
