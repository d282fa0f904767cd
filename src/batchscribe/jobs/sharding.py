"""Cutting the files of a job into shards: the work of one task of the engine."""

from __future__ import annotations

from math import ceil

MAX_FILES = 64
MAX_WORK_SEC = 60.0  #: enough to make the engine's own 2-4 ms a task vanish, little enough to lose in a crash
MAX_UNKNOWN = 8  #: files of unknown size in one shard: each may be long
UNKNOWN_SHARDS = 32  #: that many machines get some of them before a shard gets more than one

# Bytes of a second of audio: 16-bit samples at 16 kHz in a WAV, 128 kbit/s in everything else.
WAV_BYTES_PER_SEC = 32_000
OTHER_BYTES_PER_SEC = 16_000


def estimated_audio_sec(uri: str, size_bytes: int) -> float:
    is_wav = uri[-4:].lower() == ".wav"  # asked a million times; what has a size has no query behind its name
    return size_bytes / (WAV_BYTES_PER_SEC if is_wav else OTHER_BYTES_PER_SEC)


class ShardCutter:
    """Gives each file its shard, in order. A shard never spans two cutters: make one per page of a listing."""

    def __init__(self, first_shard: int, *, speed: float, unknown: int = 0) -> None:
        """`speed` is the engine's, in seconds of audio a second; `unknown` is how many files have no known size."""
        self.audio_sec = 0.0  #: of all files so far, as their sizes tell
        self._shard = first_shard
        self._speed = speed
        self._unknown_sec = MAX_WORK_SEC / min(MAX_UNKNOWN, max(1, ceil(unknown / UNKNOWN_SHARDS)))
        self._files = 0
        self._work_sec = 0.0

    @property
    def next_shard(self) -> int:
        """The first number that no file has got."""
        return self._shard + (self._files > 0)

    def add(self, uri: str, size_bytes: int | None) -> int:
        """The shard of this file. One of more work than `MAX_WORK_SEC` is alone in its own."""
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
        """Of a file of unknown size, the part of a shard that it gets."""
        if size_bytes is None:
            return self._unknown_sec
        audio_sec = estimated_audio_sec(uri, size_bytes)
        self.audio_sec += audio_sec
        return audio_sec / self._speed

    def _close(self) -> None:
        self._shard += 1
        self._files = 0
        self._work_sec = 0.0
