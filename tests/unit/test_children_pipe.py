"""Messages of any length between two ends of a pipe."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from threading import Thread

import numpy as np
import pytest

from batchscribe.children import pipe
from batchscribe.children.pipe import Pipe
from batchscribe.children.watchdog import Watchdog

Ends = tuple[Pipe, Pipe]
LIMIT_SEC = 60.0

pytestmark = pytest.mark.timeout(LIMIT_SEC)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    """The parent's and the child's end. Buffers are small, and the parent checks the child all the time, so every
    longer message takes many steps.
    """
    monkeypatch.setattr(pipe, "LOOK_SEC", 0.01)
    here, there = multiprocessing.Pipe()
    with here, there:
        for each in (here, there):
            with socket.socket(fileno=os.dup(each.fileno())) as end:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        yield Pipe(here, Watchdog(os.getpid())), Pipe(there)


def begin(call: Callable[..., object], *args: object) -> Future[object]:
    """Start a daemon thread."""
    result: Future[object] = Future()

    def run() -> None:
        try:
            result.set_result(call(*args))
        except OSError as error:
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    return result


def random_bytes(length: int) -> bytes:
    return np.random.default_rng(length).bytes(length)


PARTS = [random_bytes(length) for length in (3, 70_001, 0, 1, 30_000, 0)]
TOTAL = sum(map(len, PARTS))


@pytest.mark.parametrize("read_at_once", [TOTAL, 9_999])
def test_the_child_gets_parts_larger_than_the_pipe_whole_and_in_order_however_slowly_it_reads(
    ends: Ends, read_at_once: int
) -> None:
    parent, child = ends
    written = begin(parent.write, *PARTS)
    arrived = b""
    while len(arrived) < TOTAL:
        time.sleep(0.03)
        arrived += child.read(min(read_at_once, TOTAL - len(arrived)))
    written.result(LIMIT_SEC)
    assert arrived == b"".join(PARTS)


def test_the_parent_gets_a_message_whole_however_slowly_it_is_written(ends: Ends) -> None:
    parent, child = ends
    content = b"".join(PARTS)
    read = begin(parent.read, TOTAL)
    for start in range(0, TOTAL, 30_000):
        time.sleep(0.03)
        child.write(memoryview(content)[start : start + 30_000])
    assert read.result(LIMIT_SEC) == content


def test_samples_are_written_as_their_bytes(ends: Ends) -> None:
    parent, child = ends
    samples = np.arange(60_000, dtype=np.float32).reshape(2, 30_000)
    written = begin(parent.write, samples.data)
    time.sleep(0.03)
    assert np.array_equal(np.frombuffer(child.read(samples.nbytes), np.float32), samples.reshape(-1))
    written.result(LIMIT_SEC)


def test_nothing_to_write_or_read_is_nothing(ends: Ends) -> None:
    ends[0].write()
    ends[0].write(b"", b"")
    assert ends[1].read(0) == b""
    ends[0].write(b"next")
    assert ends[1].read(4) == b"next"


def test_a_message_that_breaks_off_is_an_end_of_file(ends: Ends) -> None:
    ends[0].write(b"half")
    ends[0].close()
    with pytest.raises(EOFError):
        ends[1].read(8)


def test_a_closed_reader_is_an_error_even_within_a_message(ends: Ends) -> None:
    written = begin(ends[0].write, random_bytes(1_000_000))
    ends[1].read(10)
    ends[1].close()
    with pytest.raises(OSError, match=r"pipe|reset"):
        written.result(LIMIT_SEC)
