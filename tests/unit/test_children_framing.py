from __future__ import annotations

import multiprocessing
import pickle
import struct
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from batchscribe.children.framing import MAX_MESSAGE_BYTES, Gibberish, receive, send
from batchscribe.children.pipe import Pipe

Ends = tuple[Pipe, Pipe]


@pytest.fixture
def pipe() -> Iterator[Ends]:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        yield Pipe(ours), Pipe(theirs)


def test_a_message_arrives_as_it_was_sent(pipe: Ends) -> None:
    samples = np.arange(1000, dtype=np.float32)
    send(pipe[0], {"op": "window", "start_sec": 1.5, "name": "Ünïcode\n"}, samples.tobytes())
    header, payload = receive(pipe[1])
    assert header == {"op": "window", "start_sec": 1.5, "name": "Ünïcode\n"}
    received = np.frombuffer(payload, dtype=np.float32)
    assert np.array_equal(received, samples)
    assert received.flags.aligned


def test_a_message_may_be_a_header_alone(pipe: Ends) -> None:
    send(pipe[0], {})
    header, payload = receive(pipe[1])
    assert header == {}
    assert len(payload) == 0


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"no newline",
        b"{not json}\n",
        b"[1]\n",
        b"[" * 15_000 + b"\n",
        b'{"op": ' * 3_000 + b"\n",
        pickle.dumps({"op": "done"}),
        b"\xff\n",
        b'{"start_sec": NaN}\n',
        b'{"start_sec": -Infinity}\n',
        b'{"start_sec": 1e400}\n',
        b'{"channel": ' + b"9" * 5_000 + b"}\n",
        b'{"op": "' + b"x" * 20_000 + b'"}\n',
    ],
    ids=[
        "empty",
        "no header",
        "no json",
        "no object",
        "deep",
        "deep objects",
        "pickle",
        "no text",
        "nan",
        "infinity",
        "beyond floats",
        "5,000 digits",
        "long",
    ],
)
def test_babble_is_recognized_and_never_executed(pipe: Ends, message: bytes) -> None:
    pipe[0].write(struct.pack("!i", len(message)), message)
    with pytest.raises(Gibberish):
        receive(pipe[1])


def test_a_message_that_would_fill_the_memory_is_refused(pipe: Ends) -> None:
    for length in (MAX_MESSAGE_BYTES + 1, -1):
        pipe[0].write(struct.pack("!i", length))
        with pytest.raises(Gibberish, match="length"):
            receive(pipe[1])


def test_a_message_larger_than_the_pipe_arrives_whole(pipe: Ends) -> None:
    samples = np.arange(500_000, dtype=np.float32)
    sender = threading.Thread(target=send, args=(pipe[0], {"op": "window"}, samples.data.cast("B")))
    sender.start()
    _, payload = receive(pipe[1])
    sender.join()
    assert np.array_equal(np.frombuffer(payload, dtype=np.float32), samples)


def test_the_end_of_the_other_side_is_an_end_of_file(pipe: Ends) -> None:
    pipe[0].close()
    with pytest.raises(EOFError):
        receive(pipe[1])
