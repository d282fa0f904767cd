"""The life of an engine's process: load the model, transcribe batch after batch, end with the parent.

Kept free of heavy imports: what the engine needs arrives with its spec, after the environment is set.
"""

from __future__ import annotations

import pickle
import struct
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from batchscribe.children.pipe import Pipe
from batchscribe.children.start import begin_child, mute, open_nowhere
from batchscribe.speech.engine_confinement import confine, set_environment
from batchscribe.speech.engine_replies import EngineFailure, Ready, send_reply

if TYPE_CHECKING:
    from batchscribe.speech.engine import EngineSpec


def serve(connection: Connection) -> None:
    """Main function of the process. It is told pickles, the spec first, then batches, and answers in JSON."""
    begin_child()
    set_environment()
    pipe = Pipe(connection)
    try:
        spec: EngineSpec = receive(pipe)
        nowhere = open_nowhere()
        confine(spec)
        engine = spec.build()
        mute(nowhere)  # until here a library may say why it cannot load; what comes now depends on a recording
        send_reply(pipe, Ready())
        while True:
            send_reply(pipe, engine.transcribe(receive(pipe)))
    except (EOFError, ConnectionError):
        return  # the parent hung up
    except Exception as error:
        send_reply(pipe, EngineFailure(describe(error), isinstance(error, MemoryError)))
        raise SystemExit(1) from error


def send(pipe: Pipe, message: object) -> None:
    """Samples go out of band: a pickle with them inside would cost as much CPU as all the rest of the way."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    lengths = struct.pack(f"!I{len(parts)}Q", len(parts), *(len(part) for part in parts))
    pipe.write(lengths, *parts)


def receive(pipe: Pipe) -> Any:
    """What the parent sent, which the child may trust; the parent itself never unpickles what a child sent."""
    (count,) = struct.unpack("!I", pipe.read(4))
    lengths = struct.unpack(f"!{count}Q", pipe.read(8 * count))
    head, *buffers = [pipe.read(length) for length in lengths]
    return pickle.loads(head, buffers=buffers)  # noqa: S301


def describe(error: Exception) -> str:
    """Class and first line of the message, short enough for a sentence."""
    first_line = str(error).partition("\n")[0][:200]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
