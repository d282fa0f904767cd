"""The parent's end of a pipe to a child that is slow, hangs or dies."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from batchscribe.children import pipe as pipes
from batchscribe.children.pipe import Pipe
from batchscribe.children.watchdog import ChildHangs, Watchdog

#: Far more than a pipe holds.
MESSAGE = bytes(range(250)) * 20_000
IDLE_SEC = 1.0

PROGRAM = """
import os, sys, time
from multiprocessing.connection import Connection
from batchscribe.children.pipe import Pipe
pipe = Pipe(Connection(int(sys.argv[1])))
message = bytes(range(250)) * 20_000
half = len(message) // 2
"""


@contextmanager
def pipe_to(does: str, *, idle_sec: float) -> Iterator[Pipe]:
    """Open a pipe to a child that does this. After a final pause it hangs."""
    ours, theirs = multiprocessing.Pipe()
    fd = theirs.fileno()
    with subprocess.Popen([sys.executable, "-c", PROGRAM + does, str(fd)], pass_fds=[fd]) as process, ours:
        theirs.close()
        watchdog = Watchdog(process.pid)
        watchdog.expect(idle_sec, cpu_sec=float("inf"))
        try:
            yield Pipe(ours, watchdog)
        finally:
            process.kill()


def test_a_child_that_hangs_while_sending_is_reported() -> None:
    with (
        pipe_to("pipe.write(message[:half]); time.sleep(600)", idle_sec=IDLE_SEC) as pipe,
        pytest.raises(ChildHangs, match="used no CPU for 1 s"),
    ):
        pipe.read(len(MESSAGE))


def test_a_child_that_hangs_while_receiving_is_reported() -> None:
    with (
        pipe_to("pipe.read(half); time.sleep(600)", idle_sec=IDLE_SEC) as pipe,
        pytest.raises(ChildHangs, match="used no CPU for 1 s"),
    ):
        pipe.write(MESSAGE)


@pytest.mark.parametrize("pauses_sec", [0.0, 0.5])
def test_messages_of_a_slow_child_arrive_whole_both_ways(monkeypatch: pytest.MonkeyPatch, pauses_sec: float) -> None:
    """It pauses within each message, and the parent checks it several times during the pause."""
    monkeypatch.setattr(pipes, "LOOK_SEC", 0.1)
    echo = f"""
got = pipe.read(half)
time.sleep({pauses_sec})
got += pipe.read(len(message) - half)
pipe.write(got[:half])
time.sleep({pauses_sec})
pipe.write(got[half:])
"""
    with pipe_to(echo, idle_sec=60.0) as pipe:
        pipe.write(MESSAGE[:1000], MESSAGE[1000:])
        assert pipe.read(len(MESSAGE)) == MESSAGE


def test_a_child_that_dies_in_the_middle_of_its_message_is_an_end_of_file_at_once() -> None:
    with pipe_to("pipe.write(message[:half])", idle_sec=60.0) as pipe, pytest.raises(EOFError):
        pipe.read(len(MESSAGE))


def test_a_child_that_dies_in_the_middle_of_the_parents_message_is_an_error_at_once() -> None:
    with pipe_to("pipe.read(half)", idle_sec=60.0) as pipe, pytest.raises(ConnectionError):
        pipe.write(MESSAGE)
