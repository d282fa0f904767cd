"""Check of the decoder."""

from __future__ import annotations

import time

from batchscribe.audio.decoder import DecoderPool
from batchscribe.audio.limits import DecodeLimits
from batchscribe.doctor.check import Check, failed, ok
from batchscribe.errors import MachineTrouble
from batchscribe.settings import Settings
from batchscribe.work.room import check_room

NAME = "decoder"


def check_decoder(settings: Settings | None) -> Check:
    """Check the process's limits, and decode a tiny recording in a decoder process, as a worker does when it starts."""
    limits = DecodeLimits() if settings is None else DecodeLimits.from_settings(settings)
    began_at = time.monotonic()
    try:
        check_room(settings.workers if settings else 1)
        with DecoderPool(1, limits) as pool:
            pool.try_out()
    except MachineTrouble as trouble:
        return failed(
            NAME, trouble.message, "Check the limits with `ulimit -a`, the disks with `df` and the memory with `free`."
        )
    return ok(NAME, f"It decoded a trial recording in {time.monotonic() - began_at:.1f} s.")
