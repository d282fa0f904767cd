"""The parent's side of an engine process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from batchscribe.children.pipe import Pipe
from batchscribe.children.start import reason_of, start_piped
from batchscribe.children.watchdog import ChildHangs, Watchdog, always
from batchscribe.errors import EngineDied, EngineError, EngineTimeout, MachineTrouble
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.engine_child import send, serve
from batchscribe.speech.engine_replies import (
    EngineFailure,
    InvalidEngineReply,
    Ready,
    Reply,
    Transcribed,
    receive_reply,
    validate_recognitions,
)
from batchscribe.window import Recognition

#: Seconds. A model of several GB may be on a slow disk.
LOAD_LIMIT_SEC = 600.0
#: Interval at which an engine that reads ahead is offered its next batch. A batch on a GPU takes about a second.
ASK_SEC = 0.01


class EngineProcess:
    """A child process with one engine. The constructor raises `MachineTrouble` if no process can be started.

    After any error, the process is unusable: call `end`. Another thread may call `kill` at any time; a caller that
    waits for an answer then gets `EngineDied`.
    """

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        try:
            self._process, connection = start_piped(serve, name=f"engine-{spec.name}")
        except OSError as error:
            raise MachineTrouble(
                f"No process can be started for engine {spec.name} on this machine: {reason_of(error)}. Free "
                "memory, processes or descriptors.",
                part=spec.name,
            ) from error
        self.load_sec = 0.0  #: how long loading took
        self._is_next_sent = False
        self._watchdog = Watchdog(self._process.pid)
        self._pipe = Pipe(connection, self._watchdog)

    def load(self) -> None:
        """Load the model. Raises `MachineTrouble` if the engine reports an error; `EngineDied`, `EngineTimeout`."""
        self._watchdog.expect(LOAD_LIMIT_SEC, LOAD_LIMIT_SEC)
        started_at = time.monotonic()
        match self._ask(self._spec):
            case Ready():
                self.load_sec = time.monotonic() - started_at
            case EngineFailure(reason):
                raise cannot_load(self._spec, reason)
            case answer:
                raise unexpected_answer(answer)

    def transcribe(
        self,
        requests: Sequence[RecognitionRequest],
        *,
        idle_sec: float,
        cpu_sec: float,
        next_batch: Callable[[], Sequence[RecognitionRequest]] | None = None,
        is_wanted: Callable[[], bool] = always,
    ) -> list[Recognition]:
        """Transcribe a batch. The limits are those of `Watchdog`. Raises `ChildNotWanted` once `is_wanted` is False.

        While the process works, `next_batch` is called repeatedly. Once it returns a batch that is not empty, this is
        sent early, and must be the batch of the next call.

        Raises `EngineDied`, `EngineTimeout` or `EngineError`. If the engine ran out of memory, the cause of the
        `EngineError` is a `MemoryError`.
        """
        self._watchdog.expect(idle_sec, cpu_sec, is_wanted)
        match self._ask(requests, next_batch=next_batch):
            case Transcribed(recognitions):
                return self._validate(recognitions, requests)
            case EngineFailure(reason, is_out_of_memory=True):
                sentence = (
                    f"Engine {self._spec.name} does not have enough memory for part of the speech. Use a smaller "
                    "model, or a device with more memory; the worker's log has the reason."
                )
                raise EngineError(sentence, reason=reason) from MemoryError(reason)
            case EngineFailure(reason):
                sentence = f"Engine {self._spec.name} failed on part of the speech; the worker's log has the reason."
                raise EngineError(sentence, reason=reason)
            case answer:
                raise unexpected_answer(answer)

    def _validate(self, recognitions: Sequence[object], requests: Sequence[RecognitionRequest]) -> list[Recognition]:
        try:
            return validate_recognitions(recognitions, [request.window for request in requests])
        except InvalidEngineReply as error:
            raise self._invalid_answer() from error

    def _invalid_answer(self) -> EngineError:
        return EngineError(f"The process of engine {self._spec.name} sent an invalid answer.")

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill the process and release its resources."""
        self._process.end()
        self._pipe.close()

    def _ask(self, message: object, *, next_batch: Callable[[], Sequence[RecognitionRequest]] | None = None) -> Reply:
        """Send a message and wait for the answer, which the watchdog expects."""
        is_sent, self._is_next_sent = self._is_next_sent, False
        try:
            if not is_sent:
                send(self._pipe, message)
            if next_batch is not None:
                self._send_early(next_batch)
            return receive_reply(self._pipe)
        except ChildHangs as hang:
            raise EngineTimeout(f"Engine {self._spec.name} hangs: it {hang}.") from hang
        except InvalidEngineReply as error:
            raise self._invalid_answer() from error
        except (EOFError, OSError) as error:
            raise EngineDied(f"The process of engine {self._spec.name} died.") from error

    def _send_early(self, next_batch: Callable[[], Sequence[RecognitionRequest]]) -> None:
        """Send the next batch as soon as there is one, unless the answer to the current one arrives before."""
        while not self._pipe.wait(ASK_SEC):
            if batch := next_batch():
                send(self._pipe, batch)
                self._is_next_sent = True
                return


def cannot_load(spec: EngineSpec, reason: str) -> MachineTrouble:
    on_gpu = " Check the GPU and its driver, or set BATCHSCRIBE_DEVICE=cpu." if spec.is_on_gpu else ""
    return MachineTrouble(
        f"Engine {spec.name} cannot load {spec.model} on {spec.device} ({reason}).{on_gpu} Check the model with "
        "`batchscribe models verify`, and that there is enough memory for it.",
        part=spec.name,
    )


def unexpected_answer(answer: object) -> EngineError:
    return EngineError(f"The engine's process sent an unexpected answer ({type(answer).__name__}).")
