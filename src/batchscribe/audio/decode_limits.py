"""Limits for decoding one recording."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchscribe.settings import Settings


MAX_CHANNELS = 32  #: of a recording
#: Accepted sample rates in Hz. A forged rate of 1 Hz would turn each sample into 16,000.
SAMPLE_RATES = range(1_000, 768_001)


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The resources that one recording may use; `max_bytes` is None if the operator sets no limit."""

    max_decoded_sec: float = 86_400.0
    memory_bytes: int = 3 * 2**30
    stall_sec: float = 60.0
    max_bytes: int | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> DecodeLimits:
        return cls(
            max_decoded_sec=settings.max_decoded_sec,
            memory_bytes=settings.decode_memory_bytes,
            stall_sec=settings.decode_stall_sec,
            max_bytes=settings.max_file_bytes,
        )


class CpuAllowance:
    """The CPU seconds allowed to a decoder after each `renew`; then the kernel ends the process.

    A demuxer in an endless loop continues to read, so it looks alive to the parent's watchdog.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._renew_at = 0.0

    def renew(self) -> None:
        """Renew at most once a second. This is called for every block of sound, and the two system calls add up."""
        if time.monotonic() < self._renew_at:
            return
        self._renew_at = time.monotonic() + 1.0
        usage = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(usage.ru_utime + usage.ru_stime + self._seconds) + 1
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
