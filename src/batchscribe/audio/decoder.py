"""Recordings in, windows of sound out: a pool of decoder processes, which take turns."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, Self

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder_process import CURE, DECODER, DecoderProcess
from batchscribe.audio.decoder_replies import Replies
from batchscribe.audio.decoder_trial import DURATION_SEC, TrialRecording
from batchscribe.audio.decoding import ByteSource, Decoding
from batchscribe.audio.decoding_turns import DecodingTurns
from batchscribe.audio.file_view import BLOCK_BYTES
from batchscribe.audio.media import Media
from batchscribe.audio.packing import MAX_PAUSE_SEC
from batchscribe.audio.sniff import accepted_formats
from batchscribe.errors import (
    CorruptMedia,
    DecodeLimitExceeded,
    DecoderDied,
    MachineTrouble,
    MediaError,
    WorkInterrupted,
)
from batchscribe.metrics import Stage, stage, suppress_observation

__all__ = ["DECODER", "ByteSource", "DecoderPool", "Decoding", "Media", "Segmentation"]

FILES_PER_PROCESS = 200  #: then a fresh one takes its place, without whatever a decoder may have leaked

Segmentation = Literal["auto", "none"]


class DecoderPool:
    """Decoder processes, started when needed and used again; `children` of them work at a time. Thread-safe.

    A process that waits for its turn does nothing but hold its recording, as it waits for an answer of ours.
    """

    def __init__(self, children: int, limits: DecodeLimits, *, extra_formats: tuple[str, ...] = ()) -> None:
        """Raises `InvalidSetting` for an extra format that is not known."""
        accepted_formats(extra_formats)
        self._limits = limits
        self._extra_formats = extra_formats
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
    ) -> Iterator[Decoding]:
        """Waits for its turn, which goes by tenant and job.

        `window_sec` as in `EngineSpec`, `max_pause_sec` as in `Packer`.

        Raises `DecodeLimitExceeded` for too large a file, `MachineTrouble` when no decoder can be started, and
        `WorkInterrupted` when the pool is closed.
        """
        self._check_size(source)
        with self._turns.joined(tenant, job) as turn:
            turn.begin()
            process = self._take()
            replies = Replies(source.size, channels_apart=channels_apart, max_sec=self._limits.max_decoded_sec)
            decoding = Decoding(process, source, replies, turn.taken)
            try:
                process.get_ready()
                self._ask(
                    process,
                    source,
                    channels_apart=channels_apart,
                    segmentation=segmentation,
                    window_sec=window_sec,
                    max_pause_sec=max_pause_sec,
                )
                turn.end()
                yield decoding
            except (DecoderDied, MachineTrouble) as error:
                if self._closed:
                    raise WorkInterrupted("The decoders were stopped.") from error
                raise
            finally:
                self._give_back(process, reusable=decoding.is_over)

    def try_out(self) -> None:
        """Have a new process decode a tiny recording; it then waits for work. Busy decoders are not waited for.

        Raises `MachineTrouble`, and `WorkInterrupted` when the pool is closed.
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
        """With voice activity, which needs its model; what is taken for speech does not matter."""
        self._ask(
            process,
            recording,
            channels_apart=False,
            segmentation="auto",
            window_sec=0.0,
            max_pause_sec=0.0,
            max_decoded_sec=2 * DURATION_SEC,
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
        """End all processes; whoever still decodes gets `WorkInterrupted`."""
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

    def _ask(self, process: DecoderProcess, source: ByteSource, **wanted: object) -> None:
        request = {
            "size": source.size,
            "extra_formats": self._extra_formats,
            "max_decoded_sec": self._limits.max_decoded_sec,
        }
        with stage(Stage.READ):
            first_block = source.read(0, min(source.size, BLOCK_BYTES)) if source.size else b""
        process.tell(request | wanted, first_block)

    def _take(self) -> DecoderProcess:
        with self._lock:
            process = self._idle_process() or self._new()
            process.files += 1
            self._busy.add(process)
            return process

    def _new(self) -> DecoderProcess:
        """Hold the lock."""
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
            process.end()  # ended by the system, for its memory perhaps; no recording is to blame
        return None

    def _give_back(self, process: DecoderProcess, *, reusable: bool) -> None:
        with self._lock:
            self._busy.discard(process)
            is_wanted = process.files < FILES_PER_PROCESS and len(self._idle) < self._children
            if reusable and not self._closed and is_wanted:
                self._idle.append(process)
                return
        process.end()
