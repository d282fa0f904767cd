"""The main loop of a speaker process: reads the sound of one recording after another, and sends its speaker turns."""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from batchscribe.children.confinement import confine
from batchscribe.children.framing import Gibberish, receive, send
from batchscribe.children.pipe import Pipe
from batchscribe.children.start import begin_child
from batchscribe.errors import ModelDamaged
from batchscribe.speakers.diarizer import Diarizer
from batchscribe.speakers.local_speakers import STREAMS
from batchscribe.speakers.log_mel import log_mel
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_embedding import EMBEDDING_SIZE, EmbeddingModel
from batchscribe.speakers.speaker_models import SpeakerModels, read_speaker_models
from batchscribe.speakers.speech_chunks import SpeechChunk
from batchscribe.speakers.turn_building import build_turns
from batchscribe.speakers.voice_clustering import Voices, cluster_voices
from batchscribe.window import SAMPLE_RATE, SpeakerTurn

#: How much sound may wait for the diarizer, which computes once per minute and a half of sound.
AHEAD_BYTES = 180 * SAMPLE_RATE * np.dtype(np.float32).itemsize
REHEARSAL_SEC = 12.0  #: more than one window of the diarizer
N_REHEARSED = 8

Message = tuple[dict[str, Any], memoryview]


def serve(connection: Connection, folder: Path, threads: int, memory_bytes: int) -> None:
    """Run the process. Reports that it is ready, or the number of the error, because text from it is not trusted."""
    begin_child()  # first, because Ctrl-C would end the process while it loads
    limit_blas()
    pipe = Pipe(connection)
    try:
        models = read_speaker_models(folder)
        rehearse(models)
        confine(memory_bytes)
    except ModelDamaged:
        tell(pipe, "unfit", errno=errno.EILSEQ)
    except OSError as error:
        tell(pipe, "unfit", errno=error.errno)
    except MemoryError:
        tell(pipe, "unfit", errno=errno.ENOMEM)
    else:
        tell(pipe, "ready")
        messages = Messages(pipe, partial(os._exit, 0))  # even while the diarizer computes
        while True:
            turns = diarize(messages, models, threads)
            tell(pipe, "turns", pack(turns))


def limit_blas() -> None:
    """Let NumPy compute matrix products in one thread, so that equal sound gives equal turns on any number of cores.

    With several threads, BLAS adds in another order. The environment cannot limit it: the fork server has loaded NumPy.
    """
    threadpool_limits(limits=1, user_api="blas")


def rehearse(models: SpeakerModels) -> None:
    """Load all modules by diarizing noise and by clustering random voices, because noise has no voices.

    After confinement, no file can be opened, but NumPy loads some of its modules only when they are first used.
    """
    chance = np.random.default_rng(0)
    noise = (0.1 * chance.uniform(-1, 1, int(REHEARSAL_SEC * SAMPLE_RATE))).astype(np.float32)
    diarizer = Diarizer(models, SpeakerCount(), 1)
    diarizer.feed(noise)
    diarizer.finish()
    EmbeddingModel(models.embedding).embed(log_mel(noise))
    embeddings = chance.standard_normal((N_REHEARSED, EMBEDDING_SIZE)).astype(np.float32)
    chunks = [SpeechChunk(0, ((number, number + 1),)) for number in range(N_REHEARSED)]
    voices = Voices(embeddings, np.full(N_REHEARSED, 2.0), np.zeros(N_REHEARSED, dtype=bool))
    speakers = cluster_voices(voices, SpeakerCount(2, 2), block=N_REHEARSED // 2)
    build_turns(np.ones((N_REHEARSED, STREAMS), dtype=bool), chunks, speakers, REHEARSAL_SEC)


def diarize(messages: Messages, models: SpeakerModels, threads: int) -> tuple[SpeakerTurn, ...]:
    """Diarize one recording, whose sound the parent sends in order. It may begin again."""
    diarizer = Diarizer(models, SpeakerCount(), threads)
    while True:
        header, payload = messages.take()
        match header["op"]:
            case "begin":
                diarizer = Diarizer(models, SpeakerCount(header["at_least"], header["at_most"]), threads)
            case "sound":
                diarizer.feed(np.frombuffer(payload, dtype=np.float32))
            case "finish":
                return diarizer.finish()


def pack(turns: tuple[SpeakerTurn, ...]) -> bytes:
    """Return float64[n_turns, 3]: start, end, and the number of the speaker."""
    return np.array([(turn.start_sec, turn.end_sec, turn.speaker) for turn in turns], dtype=np.float64).tobytes()


class Messages:
    """The messages from the parent. A thread reads ahead up to `AHEAD_BYTES`; after that, the parent waits."""

    def __init__(self, pipe: Pipe, closed: Callable[[], None]) -> None:
        """`closed` is called in that thread once the parent has closed the pipe."""
        self._pipe = pipe
        self._closed = closed
        self._waiting: deque[Message] = deque()
        self.waiting_bytes = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def take(self) -> Message:
        """Return the next message; waits for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            header, payload = self._waiting.popleft()
            self.waiting_bytes -= len(payload)
            self._changed.notify()
        return header, payload

    def _read(self) -> None:
        while True:
            try:
                message = receive(self._pipe)
            except (EOFError, OSError, Gibberish):
                self._closed()
                return
            with self._changed:
                self._waiting.append(message)
                self.waiting_bytes += len(message[1])
                self._changed.notify()
                self._changed.wait_for(lambda: self.waiting_bytes < AHEAD_BYTES)


def tell(pipe: Pipe, op: str, payload: bytes = b"", **fields: object) -> None:
    try:
        send(pipe, {"op": op, **fields}, payload)
    except OSError:
        os._exit(0)  # the parent has ended
