"""The parent side of one speaker process."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from batchscribe.children.framing import Gibberish, receive, send
from batchscribe.children.pipe import Pipe
from batchscribe.children.readiness import ChildNotReady, wait_until_ready
from batchscribe.children.start import reason_of, start_piped
from batchscribe.children.watchdog import ChildHangs, Watchdog
from batchscribe.errors import DiarizationError, DiarizationTimeout, DiarizerDied, MachineTrouble
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_models import PULL_AGAIN
from batchscribe.speakers.speaker_replies import InvalidSpeakerReply, unpack_turns
from batchscribe.window import SAMPLE_RATE, Samples, SpeakerTurn

SPEAKERS = "speakers"  #: name of this part in `MachineTrouble`
MEMORY_BYTES = 3 * 2**30  #: of address space; ten hours of sound need less than half
IDLE_LIMIT_SEC = 60.0
READY_CPU_SEC = 60.0  #: loading takes about 1 s
#: For reading a message of sound: the diarizer reads at least one message per computation of about 1 s.
FEED_CPU_SEC = 120.0
#: For the turns of a recording, because all voices are compared at the end. Diarization needs far less in total.
FINISH_CPU_SEC, FINISH_CPU_PER_AUDIO_SEC = 120.0, 0.2
MESSAGE_SAMPLES = 30 * SAMPLE_RATE
CURE = "Free memory, processes or descriptors on this machine; `batchscribe doctor` checks them."


def _do_nothing() -> None:
    """Stand in for the check whether a recording is still wanted."""


class SpeakerProcess:
    """One process that finds the speaker turns of recordings, one after another. Use it from one thread at a time.

    Only `kill` may be called from another thread; a waiting call then raises `DiarizerDied`. Unusable after an error.
    """

    def __init__(self, folder: Path, threads: int, memory_bytes: int = MEMORY_BYTES) -> None:
        """Start the process, which reads the models in `folder`. Raises `MachineTrouble` if it cannot be started."""
        self.files = 0  #: number of recordings that it has begun
        self.is_free = True  #: no recording is in progress
        self._is_ready = False
        self._check: Callable[[], None] = _do_nothing
        self._count = SpeakerCount()
        self._n_samples = 0
        try:
            self._process, connection = start_piped(_serve, folder, threads, memory_bytes, name=SPEAKERS)
        except OSError as error:
            raise _cannot_start(reason_of(error)) from error
        self._watchdog = Watchdog(self._process.pid)
        self._pipe = Pipe(connection, self._watchdog)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive

    @property
    def cpu_sec(self) -> float:
        return self._process.cpu_sec

    def begin(self, count: SpeakerCount, check: Callable[[], None] = _do_nothing) -> None:
        """Begin a recording, or the same one again; the sound so far is discarded.

        `check` is called at least once a second, and raises if the recording is no longer wanted.

        Raises `MachineTrouble` if the process cannot work, and `DiarizationError`.
        """
        self.files += 1
        self.is_free = False
        self._check, self._count, self._n_samples = check, count, 0
        self._get_ready()
        self._tell({"op": "begin", "at_least": count.at_least, "at_most": count.at_most})

    def feed(self, samples: Samples) -> None:
        """Send the next sound. Waits while the process has three minutes of it. Raises `DiarizationError`."""
        import numpy as np

        for start in range(0, len(samples), MESSAGE_SAMPLES):
            part = np.ascontiguousarray(samples[start : start + MESSAGE_SAMPLES], dtype=np.float32)
            self._tell({"op": "sound"}, part.data.cast("B"))
        self._n_samples += len(samples)

    def finish(self) -> tuple[SpeakerTurn, ...]:
        """Return the turns of the recording, sorted by their start. Raises `DiarizationError`."""
        duration_sec = self._n_samples / SAMPLE_RATE
        self._tell({"op": "finish"})
        self._expect(FINISH_CPU_SEC + FINISH_CPU_PER_AUDIO_SEC * duration_sec)
        header, payload = self._ask()
        if header != {"op": "turns"}:
            raise DiarizerDied("The diarization process sent an unexpected answer.")
        try:
            turns = unpack_turns(payload, duration_sec, self._count)
        except InvalidSpeakerReply as error:
            raise DiarizerDied("The diarization process sent an invalid answer.") from error
        self.is_free = True
        return turns

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """Kill the process and release its resources."""
        self._process.end()
        self._pipe.close()

    def _get_ready(self) -> None:
        """Wait until a new process is ready. If it ends before, no recording is the cause."""
        if self._is_ready:
            return
        self._expect(READY_CPU_SEC)
        try:
            wait_until_ready(self._pipe)
        except ChildNotReady as error:
            raise (_models_damaged() if error.number == errno.EILSEQ else _cannot_start(str(error))) from error
        self._is_ready = True

    def _expect(self, cpu_sec: float) -> None:
        self._check()
        self._watchdog.expect(IDLE_LIMIT_SEC, cpu_sec, self._is_wanted)

    def _is_wanted(self) -> bool:
        self._check()
        return True

    def _tell(self, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
        self._expect(FEED_CPU_SEC)
        try:
            send(self._pipe, header, payload)
        except ChildHangs as hang:
            raise _stalled(hang) from hang
        except OSError as error:
            raise _died() from error

    def _ask(self) -> tuple[dict[str, Any], memoryview]:
        try:
            return receive(self._pipe)
        except ChildHangs as hang:
            raise _stalled(hang) from hang
        except (EOFError, OSError, Gibberish) as error:
            raise _died() from error


def _stalled(hang: ChildHangs) -> DiarizationError:
    return DiarizationTimeout(f"The diarization process {hang} and was killed.")


def _died() -> DiarizationError:
    return DiarizerDied("The diarization process died on this recording.")


def _models_damaged() -> MachineTrouble:
    return MachineTrouble(f"The speaker models on this machine are damaged. {PULL_AGAIN}", part=SPEAKERS)


def _cannot_start(reason: str) -> MachineTrouble:
    return MachineTrouble(f"The diarization process cannot start on this machine: {reason}. {CURE}", part=SPEAKERS)


def _serve(connection: Connection, folder: Path, threads: int, memory_bytes: int) -> None:
    from batchscribe.speakers.speaker_child import serve  # imported only in the child: it loads the libraries

    serve(connection, folder, threads, memory_bytes)
