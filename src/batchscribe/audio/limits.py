"""How far the decoding of one recording may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchscribe.settings import Settings


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What one recording may cost; `max_bytes` is None where the operator sets no limit."""

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
