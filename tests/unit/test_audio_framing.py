from __future__ import annotations

import multiprocessing
import os
import pickle
import struct
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection

import numpy as np
import pytest

from batchscribe.audio.framing import MAX_MESSAGE_BYTES, Gibberish, receive, send


@pytest.fixture
def pipe() -> Iterator[tuple[Connection, Connection]]:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        yield ours, theirs


def test_a_message_arrives_as_it_was_sent(pipe: tuple[Connection, Connection]) -> None:
    samples = np.arange(1000, dtype=np.float32)
    send(pipe[0], {"op": "segment", "start_sec": 1.5, "name": "Ünïcode\n"}, samples.tobytes())
    header, payload = receive(pipe[1])
    assert header == {"op": "segment", "start_sec": 1.5, "name": "Ünïcode\n"}
    received = np.frombuffer(payload, dtype=np.float32)
    assert np.array_equal(received, samples)
    assert received.flags.aligned


def test_a_message_may_be_a_header_alone(pipe: tuple[Connection, Connection]) -> None:
    send(pipe[0], {})
    header, payload = receive(pipe[1])
    assert header == {}
    assert len(payload) == 0


@pytest.mark.parametrize(
    "message",
    [b"", b"no newline", b"{not json}\n", b"[1]\n", b"[" * 15_000 + b"\n", pickle.dumps({"op": "done"}), b"\xff\n"],
    ids=["empty", "no header", "no json", "no object", "deep", "pickle", "no text"],
)
def test_babble_is_recognised_and_never_executed(pipe: tuple[Connection, Connection], message: bytes) -> None:
    pipe[0].send_bytes(message)
    with pytest.raises(Gibberish):
        receive(pipe[1])


def test_a_message_that_would_fill_the_memory_is_refused(pipe: tuple[Connection, Connection]) -> None:
    for length in (MAX_MESSAGE_BYTES + 1, -1):
        os.write(pipe[0].fileno(), struct.pack("!i", length))
        with pytest.raises(Gibberish, match="length"):
            receive(pipe[1])


def test_a_message_larger_than_the_pipe_arrives_whole(pipe: tuple[Connection, Connection]) -> None:
    samples = np.arange(500_000, dtype=np.float32)
    sender = threading.Thread(target=send, args=(pipe[0], {"op": "segment"}, samples.data.cast("B")))
    sender.start()
    _, payload = receive(pipe[1])
    sender.join()
    assert np.array_equal(np.frombuffer(payload, dtype=np.float32), samples)


def test_the_end_of_the_other_side_is_an_end_of_file(pipe: tuple[Connection, Connection]) -> None:
    pipe[0].close()
    with pytest.raises(EOFError):
        receive(pipe[1])
