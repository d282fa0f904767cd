"""The parent's side of one engine process."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import get_context

from batchscribe.child_process import start_child
from batchscribe.errors import EngineDied, EngineError, EngineNotAvailable, EngineTimeout
from batchscribe.segment import Hearing, Segment
from batchscribe.speech.child import Failure, Heard, Ready, receive, send, serve
from batchscribe.speech.engine import EngineSpec

#: Seconds. A model of several GB may come from a slow disk.
LOAD_LIMIT_SEC = 600.0


class EngineProcess:
    """One child with one engine. Making one raises `EngineDied` when the system cannot start another process.

    Any error means that the process is of no use any more: `end` it. `kill` may be called by another thread at any
    time; whoever waits for an answer then gets `EngineDied`.
    """

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        context = get_context("forkserver")
        self._connection, childs_end = context.Pipe()
        self._process = context.Process(target=serve, args=(childs_end,), name=f"engine-{spec.name}", daemon=True)
        with childs_end:
            self._start()

    def load(self) -> Ready:
        """Raises `EngineNotAvailable` when the engine says that it cannot load; `EngineDied`, `EngineTimeout`."""
        match self._ask(self._spec, LOAD_LIMIT_SEC):
            case Ready() as ready:
                return ready
            case Failure(reason):
                raise EngineNotAvailable(f"Engine {self._spec.name} cannot load {self._spec.model} ({reason}).")
            case answer:
                raise unexpected(answer)

    def hear(self, segments: Sequence[Segment], language: str, limit_sec: float) -> list[Hearing]:
        """Raises `EngineError` or one of its kinds, `EngineDied` and `EngineTimeout`."""
        match self._ask((segments, language), limit_sec):
            case Heard(hearings) if len(hearings) == len(segments):
                return hearings
            case Failure(reason):
                raise EngineError(f"Engine {self._spec.name} failed on a segment ({reason}).")
            case answer:
                raise unexpected(answer)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill the process, and forget it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()

    def _start(self) -> None:
        try:
            start_child(self._process)
        except OSError as error:
            self._connection.close()
            raise EngineDied(f"No process can be started for engine {self._spec.name} ({error.strerror}).") from error

    def _ask(self, message: object, limit_sec: float) -> object:
        try:
            send(self._connection, message)
            if self._connection.poll(limit_sec):
                return receive(self._connection)
        except (EOFError, ConnectionError) as error:
            raise EngineDied(f"The process of engine {self._spec.name} died.") from error
        raise EngineTimeout(f"Engine {self._spec.name} gave no answer within {limit_sec:.0f} s.")


def unexpected(answer: object) -> EngineError:
    return EngineError(f"The engine's process answered with a {type(answer).__name__} that fits no question.")
