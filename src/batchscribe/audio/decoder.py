"""A pool of decoder processes that turn recordings into windows of sound and take turns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, Self

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder_process import CURE, DECODER, DecoderProcess
from batchscribe.audio.decoder_replies import Replies, SoundBlock
from batchscribe.audio.decoder_trial import DURATION_SEC, TRIAL_FORMATS, TrialRecording
from batchscribe.audio.decoding import ByteSource, Decoding, Position
from batchscribe.audio.decoding_turns import DecodingTurns
from batchscribe.audio.file_view import BLOCK_BYTES
from batchscribe.audio.media import Media
from batchscribe.audio.packing import MAX_PAUSE_SEC
from batchscribe.cost import current_meter
from batchscribe.errors import (
    CorruptMedia,
    DecodeLimitExceeded,
    DecoderDied,
    MachineTrouble,
    MediaError,
    WorkInterrupted,
)
from batchscribe.input_formats import ALL_NAMES
from batchscribe.metrics import Stage, stage, suppress_observation

__all__ = ["DECODER", "ByteSource", "DecoderPool", "Decoding", "Media", "Position", "Segmentation", "SoundBlock"]

FILES_PER_PROCESS = 200  #: then a new process replaces it, which releases any leaked memory

Segmentation = Literal["auto", "none"]


class DecoderPool:
    """Decoder processes, started on demand and reused; at most `children` of them work at a time. Thread-safe.

    A process that waits for its turn is idle: it keeps its recording and waits for an answer from the parent.
    """

    def __init__(self, children: int, limits: DecodeLimits, *, input_formats: Collection[str] = ALL_NAMES) -> None:
        """Create a pool without processes."""
        self._limits = limits
        self._input_formats = tuple(input_formats)
        self._children = children
        self._turns = DecodingTurns(children)
        self._lock = threading.Lock()
        self._idle: list[DecoderProcess] = []
        self._busy: set[DecoderProcess] = set()
        self._closed = False

    @contextmanager
    def decode(
        self,
        source: ByteSource,
        *,
        channels_apart: bool,
        segmentation: Segmentation,
        window_sec: float,
        max_pause_sec: float = MAX_PAUSE_SEC,
        tenant: Hashable = None,
        job: Hashable = None,
        check: Callable[[], None] = lambda: None,
        continue_at: Position | None = None,
        hear: Callable[[SoundBlock], None] | None = None,
    ) -> Iterator[Decoding]:
        """Start to decode a recording. Waits for its turn, which depends on tenant and job.

        `check` is called while the recording is decoded, and raises if it is no longer wanted. The windows before
        `continue_at`, a position of an earlier decoding of the same recording with the same options, are omitted.
        `hear` takes all the sound, from the start, block by block; channels must be mixed.

        For `window_sec` see `EngineSpec`; for `max_pause_sec` see `Packer`.

        Raises `DecodeLimitExceeded` if the file is too large, `MachineTrouble` if no decoder can be started, and
        `WorkInterrupted` if the pool is closed.
        """
        self._check_size(source)
        with self._turns.join(tenant, job) as turn:
            turn.begin()
            process = self._take()
            began_at_sec = process.cpu_sec
            replies = Replies(source.size, channels_apart=channels_apart, max_sec=self._limits.max_decoded_sec)
            decoding = Decoding(process, source, replies, turn.take, check, continue_at, hear)
            try:
                process.get_ready()
                self._ask(
                    process,
                    source,
                    continue_at,
                    channels_apart=channels_apart,
                    segmentation=segmentation,
                    window_sec=window_sec,
                    max_pause_sec=max_pause_sec,
                    whole_sound=hear is not None,
                )
                turn.end()
                yield decoding
            except (DecoderDied, MachineTrouble) as error:
                if self._closed:
                    raise WorkInterrupted("The decoders were stopped.") from error
                raise
            finally:
                current_meter().add(compute_sec=max(0.0, process.cpu_sec - began_at_sec))
                self._give_back(process, reusable=decoding.is_over)

    def try_out(self) -> None:
        """Decode a tiny recording in a new process, which then waits for work. Does not wait for busy decoders.

        Raises `MachineTrouble`, and `WorkInterrupted` if the pool is closed.
        """
        with self._lock:
            process = self._new()
        recording = TrialRecording()
        replies = Replies(recording.size, channels_apart=False, max_sec=2 * DURATION_SEC)
        decoding = Decoding(process, recording, replies)
        try:
            process.get_ready()
            with suppress_observation():
                self._decode_trial(decoding, process, recording)
        except (MediaError, MachineTrouble) as error:
            raise self._failed_trial(error) from error
        finally:
            self._give_back(process, reusable=decoding.is_over)

    def _decode_trial(self, decoding: Decoding, process: DecoderProcess, recording: TrialRecording) -> None:
        """Decode with voice activity detection, which needs its model; the detected speech does not matter."""
        self._ask(
            process,
            recording,
            None,
            channels_apart=False,
            segmentation="auto",
            window_sec=0.0,
            max_pause_sec=0.0,
            whole_sound=False,
            max_decoded_sec=2 * DURATION_SEC,
            input_formats=TRIAL_FORMATS,
        )
        for _ in decoding.windows():
            continue
        found_sec = decoding.media.duration_sec
        if found_sec != DURATION_SEC:
            raise CorruptMedia(f"It decoded {found_sec:g} s of the {DURATION_SEC:g} s.")

    def _failed_trial(self, error: MediaError | MachineTrouble) -> WorkInterrupted | MachineTrouble:
        if self._closed:
            return WorkInterrupted("The decoders were stopped.")
        if isinstance(error, MachineTrouble):
            return error
        sentence = f"The decoder fails on this machine's trial recording ({error.message.rstrip('.')}). {CURE}"
        return MachineTrouble(sentence, part=DECODER)

    def close(self) -> None:
        """End all processes; decoding in progress raises `WorkInterrupted`."""
        with self._lock:
            self._closed = True
            self._turns.close()
            idle, self._idle = self._idle, []
            for process in self._busy:
                process.kill()
        for process in idle:
            process.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_size(self, source: ByteSource) -> None:
        largest = self._limits.max_bytes
        if largest is not None and source.size > largest:
            raise DecodeLimitExceeded(
                f"The file has {source.size} bytes, more than the {largest} that BATCHSCRIBE_MAX_FILE_BYTES allows."
            )

    def _ask(self, process: DecoderProcess, source: ByteSource, continue_at: Position | None, **wanted: object) -> None:
        state = continue_at.state.encode() if continue_at else b""
        request = {
            "position_bytes": len(state),
            "size": source.size,
            "input_formats": self._input_formats,
            "max_decoded_sec": self._limits.max_decoded_sec,
        }
        with stage(Stage.READ):
            first_block = source.read(0, min(source.size, BLOCK_BYTES)) if source.size else b""
        current_meter().add(bytes_in=len(first_block))
        process.tell(request | wanted, state + first_block)

    def _take(self) -> DecoderProcess:
        with self._lock:
            process = self._idle_process() or self._new()
            process.files += 1
            self._busy.add(process)
            return process

    def _new(self) -> DecoderProcess:
        """Start a process. The caller holds the lock."""
        if self._closed:
            raise WorkInterrupted("The decoders were stopped.")
        process = DecoderProcess(self._limits.memory_bytes, self._limits.stall_sec)
        self._busy.add(process)
        return process

    def _idle_process(self) -> DecoderProcess | None:
        while self._idle:
            process = self._idle.pop()
            if process.is_alive:
                return process
            process.end()  # the system ended it, perhaps to free memory; no recording is the cause
        return None

    def _give_back(self, process: DecoderProcess, *, reusable: bool) -> None:
        with self._lock:
            self._busy.discard(process)
            is_wanted = process.files < FILES_PER_PROCESS and len(self._idle) < self._children
            if reusable and not self._closed and is_wanted:
                self._idle.append(process)
                return
        process.end()
