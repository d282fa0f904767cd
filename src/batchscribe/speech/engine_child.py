"""The main function of an engine process: load the model, transcribe batches, end with the parent.

This module has no heavy imports. The engine's modules are imported with its spec, after the environment is set.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from batchscribe.children.pipe import Pipe
from batchscribe.children.start import begin_child, mute, open_nowhere
from batchscribe.speech.engine import Engine, EngineSpec, PreparingEngine, RecognitionRequest
from batchscribe.speech.engine_confinement import confine, set_environment
from batchscribe.speech.engine_replies import EngineFailure, Ready, send_reply
from batchscribe.speech.fitting_batches import FittingBatches, is_out_of_memory

#: Start of the trial's window; no window of a recording starts there.
OF_NO_RECORDING = -1.0


class Batches:
    """The batches that the process receives."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.has_recordings = False  #: whether it has received speech of a recording

    def receive(self) -> Sequence[RecognitionRequest]:
        batch: Sequence[RecognitionRequest] = receive(self._pipe)
        if any(request.window.start_sec != OF_NO_RECORDING for request in batch):
            self.has_recordings = True
        return batch


def serve(connection: Connection) -> None:
    """Run the process. It receives pickles, first the spec, then batches, and answers in JSON."""
    begin_child()
    set_environment()
    pipe = Pipe(connection)
    batches = Batches(pipe)
    try:
        spec: EngineSpec = receive(pipe)
        nowhere = open_nowhere()
        confine(spec)
        engine = spec.build()
        mute(nowhere)  # libraries may print load errors; later output may contain text from recordings
        send_reply(pipe, Ready())
        serve_ahead(pipe, batches, engine) if spec.reads_ahead else serve_in_turn(pipe, batches, engine)
    except (EOFError, ConnectionError):
        return  # the parent closed the pipe
    except Exception as error:
        reason = describe_kind(error) if batches.has_recordings else describe(error)
        send_reply(pipe, EngineFailure(reason, is_out_of_memory(error)))
        raise SystemExit(1) from error


def serve_in_turn(pipe: Pipe, batches: Batches, engine: Engine) -> NoReturn:
    fitting = FittingBatches(engine.transcribe)
    while True:
        send_reply(pipe, fitting.transcribe(batches.receive()))


def serve_ahead(pipe: Pipe, batches: Batches, engine: Engine) -> NoReturn:
    """Receive and prepare each batch in another thread while the engine works on the one before."""

    receive_batch: Callable[[], Sequence[Any]] = batches.receive
    fitting: FittingBatches[Any] = FittingBatches(engine.transcribe)
    if isinstance(engine, PreparingEngine):
        receive_batch, fitting = partial(receive_prepared, batches, engine), FittingBatches(engine.transcribe_prepared)
    reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
    upcoming = reader.submit(receive_batch)
    while True:
        batch = upcoming.result()
        upcoming = reader.submit(receive_batch)
        send_reply(pipe, fitting.transcribe(batch))


def receive_prepared(batches: Batches, engine: PreparingEngine) -> Sequence[Any]:
    return engine.prepare(batches.receive())


def send(pipe: Pipe, message: object) -> None:
    """Send a message with its samples out of band. In the pickle, they would double the CPU cost of sending."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    lengths = struct.pack(f"!I{len(parts)}Q", len(parts), *(len(part) for part in parts))
    pipe.write(lengths, *parts)


def receive(pipe: Pipe) -> Any:
    """Receive a message. The child trusts its parent; the parent never unpickles data from a child."""
    (count,) = struct.unpack("!I", pipe.read(4))
    lengths = struct.unpack(f"!{count}Q", pipe.read(8 * count))
    head, *buffers = [pipe.read(length) for length in lengths]
    return pickle.loads(head, buffers=buffers)  # noqa: S301


def describe(error: BaseException) -> str:
    """Return the class and the first line of the message, shortened for use in a sentence."""
    first_line = str(error).partition("\n")[0][:200]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def describe_kind(error: Exception) -> str:
    """Return the class without the message, which may contain text from recordings, such as that of a `KeyError`."""
    return f"{type(error).__name__}, out of memory" if is_out_of_memory(error) else type(error).__name__
