"""Mutated recordings through a decoder pool, one at a time, and the outcome of each."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

import psutil

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool
from batchscribe.errors import DecoderDied, DecodeTimeout, MediaError
from tests.audio_files import Bytes
from tests.fuzz.bases import bases
from tests.fuzz.mutations import mutated

DECODED, WITH_WARNINGS = "decoded", "decoded, with warnings"
#: What must not happen. Running out of memory has its own code, so it explains no death.
DEATH, HANG = DecoderDied.code, DecodeTimeout.code
LIMITS = DecodeLimits(max_decoded_sec=600.0, stall_sec=30.0)


@dataclass(frozen=True, slots=True)
class Case:
    number: int
    base: str
    kind: str
    outcome: str  #: as above, or the code of an error
    wall_sec: float
    cpu_sec: float  #: by the decoder

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def fuzz(seed: int, numbers: Iterable[int]) -> Iterator[Case]:
    """Decode the recordings. Raises everything except `MediaError`."""
    recordings = bases()
    with DecoderPool(1, LIMITS) as pool:
        for number in numbers:
            base, kind, content = mutated(seed, number, recordings)
            began_at, began_cpu = time.monotonic(), _decoder_cpu_sec()
            outcome = _outcome(pool, content, number)
            cpu_sec = max(0.0, _decoder_cpu_sec() - began_cpu)
            yield Case(number, base, kind, outcome, round(time.monotonic() - began_at, 4), round(cpu_sec, 4))


def _outcome(pool: DecoderPool, content: bytes, number: int) -> str:
    try:
        with pool.decode(
            Bytes(content),
            channels_apart=bool(number % 2),
            segmentation="auto" if number % 3 else "none",
            window_sec=30.0,
        ) as decoding:
            for window in decoding.windows():
                if not -1.0 <= float(window.samples.min()) <= float(window.samples.max()) <= 1.0:
                    raise AssertionError(f"case {number}: samples out of range")
            return WITH_WARNINGS if decoding.media.warnings else DECODED
    except MediaError as error:
        return error.code


def _decoder_cpu_sec() -> float:
    """Return the CPU seconds of the live decoders; a new one starts at 0."""
    total = 0.0
    for child in multiprocessing.active_children():
        if child.name == "decoder" and child.pid:
            with suppress(psutil.NoSuchProcess):
                spent = psutil.Process(child.pid).cpu_times()
                total += spent.user + spent.system
    return total
