"""The life of an engine's process: load the model, hear batch after batch, end with the parent.

Kept free of heavy imports: what the engine needs arrives with its spec, after the environment is set.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from batchscribe.child_process import begin_child

if TYPE_CHECKING:
    from batchscribe.segment import Hearing
    from batchscribe.speech.engine import Engine

#: Variables that may hold credentials. An engine needs none of them.
SECRET_PREFIXES = ("AWS_", "BATCHSCRIBE_", "PG", "HF_TOKEN")
#: One thread for each process: the pool has one process for each core.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is loaded; what it likes to take at once."""

    batch_size: int
    batch_sec: float


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer to a batch: one hearing for each segment."""

    hearings: list[Hearing]


@dataclass(frozen=True, slots=True)
class Failure:
    """The engine raised; the process ends after this message."""

    reason: str


def serve(connection: Connection) -> None:
    """Main function of the process. Each message either way is one pickle: the spec first, then batches."""
    begin_child()
    set_environment()
    try:
        engine: Engine = receive(connection).build()
        send(connection, Ready(engine.batch_size, engine.batch_sec))
        while True:
            segments, language = receive(connection)
            send(connection, Heard(engine.transcribe(segments, language)))
    except (EOFError, ConnectionError):
        return  # the parent hung up
    except Exception as error:
        send(connection, Failure(describe(error)))
        raise SystemExit(1) from error


def send(connection: Connection, message: object) -> None:
    """Samples go out of band: a pickle with them inside would cost as much CPU as all the rest of the way."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    connection.send((head, len(buffers)))
    for buffer in buffers:
        connection.send_bytes(buffer.raw())


def receive(connection: Connection) -> Any:
    """Only parent and child hold the connection, so what comes out of it can be trusted."""
    head, buffers = connection.recv()
    return pickle.loads(head, buffers=[connection.recv_bytes() for _ in range(buffers)])  # noqa: S301


def describe(error: Exception) -> str:
    """Class and first line of the message, short enough for a sentence."""
    first_line = str(error).partition("\n")[0][:200]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def set_environment() -> None:
    """No credentials, and one thread in each numeric library."""
    for name in [name for name in os.environ if name.startswith(SECRET_PREFIXES)]:
        del os.environ[name]
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"
