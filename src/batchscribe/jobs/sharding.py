"""Splitting of a job's files into shards; each shard is one task."""

from __future__ import annotations

from math import ceil

MAX_FILES = 64
MAX_WORK_SEC = 60.0  #: long enough to hide the 2-4 ms that the queue needs per task, short enough to lose in a crash
MAX_UNKNOWN = 8  #: files of unknown size in one shard: each may be long
UNKNOWN_SHARDS = 32  #: files of unknown size are spread over this many shards before a shard gets more than one

#: Bytes per second of audio, by extension: 16-bit samples at 16 kHz in WAV, 60 % of that in FLAC, 64 kbit/s in Opus and
#: Vorbis, 128 kbit/s in all others.
BYTES_PER_SEC = {"wav": 32_000, "flac": 20_000, "ogg": 8_000, "oga": 8_000, "opus": 8_000, "weba": 8_000}
OTHER_BYTES_PER_SEC = 16_000


def estimated_audio_sec(uri: str, size_bytes: int) -> float:
    extension = uri[-5:].lower().rpartition(".")[2]  # fast: called a million times; URIs with known sizes have no query
    return size_bytes / BYTES_PER_SEC.get(extension, OTHER_BYTES_PER_SEC)


class ShardCutter:
    """Assigns files to shards, in order. Create one per page of a listing: a shard never spans two cutters."""

    def __init__(self, first_shard: int, *, speed: float, unknown: int = 0) -> None:
        """`speed` is that of the engine, in seconds of audio per second; `unknown` counts the files of unknown size."""
        self.audio_sec = 0.0  #: of all files so far, estimated from their sizes
        self._shard = first_shard
        self._speed = speed
        self._unknown_sec = MAX_WORK_SEC / min(MAX_UNKNOWN, max(1, ceil(unknown / UNKNOWN_SHARDS)))
        self._files = 0
        self._work_sec = 0.0

    @property
    def next_shard(self) -> int:
        """The first number that no file has."""
        return self._shard + (self._files > 0)

    def add(self, uri: str, size_bytes: int | None) -> int:
        """Return the shard of this file. A file with `MAX_WORK_SEC` of work or more gets a shard of its own."""
        work_sec = self._estimated_work_sec(uri, size_bytes)
        is_alone = work_sec >= MAX_WORK_SEC
        is_full = self._files == MAX_FILES or self._work_sec + work_sec > MAX_WORK_SEC
        if self._files and (is_alone or is_full):
            self._close()
        self._files += 1
        self._work_sec += work_sec
        shard = self._shard
        if is_alone:
            self._close()
        return shard

    def _estimated_work_sec(self, uri: str, size_bytes: int | None) -> float:
        """Return the estimated work; for a file of unknown size, a fixed fraction of a shard."""
        if size_bytes is None:
            return self._unknown_sec
        audio_sec = estimated_audio_sec(uri, size_bytes)
        self.audio_sec += audio_sec
        return audio_sec / self._speed

    def _close(self) -> None:
        self._shard += 1
        self._files = 0
        self._work_sec = 0.0
