"""Speaker processes that do not do what they should. Each replaces `batchscribe.speakers.speaker_process._serve`."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from batchscribe.children.framing import receive, send
from batchscribe.children.pipe import Pipe


def repeat_sound(connection: Connection, _folder: Path, _threads: int, _memory_bytes: int) -> None:
    """Answer with the sound of the recording, as if it were turns."""
    pipe = Pipe(connection)
    send(pipe, {"op": "ready"})
    sound = b""
    while True:
        header, payload = receive(pipe)
        sound += bytes(payload)
        if header["op"] == "finish":
            send(pipe, {"op": "turns"}, sound)
            sound = b""


def sleep(connection: Connection, _folder: Path, _threads: int, _memory_bytes: int) -> None:
    """Read nothing."""
    send(Pipe(connection), {"op": "ready"})
    time.sleep(600)


def compute(connection: Connection, _folder: Path, _threads: int, _memory_bytes: int) -> None:
    """Read nothing, and compute without end."""
    send(Pipe(connection), {"op": "ready"})
    while True:
        np.ones(1000).sum()


def boast(connection: Connection, _folder: Path, _threads: int, _memory_bytes: int) -> None:
    """Answer with a message of an unknown kind."""
    pipe = Pipe(connection)
    send(pipe, {"op": "ready"})
    while True:
        if receive(pipe)[0]["op"] == "finish":
            send(pipe, {"op": "embeddings"}, b"x")


def refuse(connection: Connection, _folder: Path, _threads: int, _memory_bytes: int) -> None:
    """Report that it cannot work, with text for the log of the parent."""
    send(Pipe(connection), {"op": "unfit", "errno": "rm -rf /"})


def end(_connection: Connection, _folder: Path, _threads: int, _memory_bytes: int) -> None:
    """End at once."""
