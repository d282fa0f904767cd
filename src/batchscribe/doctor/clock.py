"""Comparison of this machine's clock with the database's, which all processes share."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.inspection import measure_clock_offset
from batchscribe.doctor.check import Check, failed, ok, warning

NAME = "clock"
NOTICED_SEC = 2.0  #: ages in metrics and logs are wrong by as much
HARMFUL_SEC = 60.0  #: client tokens are rejected, and S3 and webhook receivers reject signatures
ADVICE = "Synchronize both machines' clocks with NTP: `timedatectl set-ntp true`."


def check_clock(connection: sa.Connection) -> Check:
    return judged(measure_clock_offset(connection))


def judged(ahead_sec: float) -> Check:
    """Return the check for a database clock that is `ahead_sec` seconds ahead of this one."""
    if abs(ahead_sec) < NOTICED_SEC:
        return ok(NAME, "This machine's clock differs from the database's by less than 2 s.")
    found = f"The clock is {abs(ahead_sec):.0f} s {'behind' if ahead_sec > 0 else 'ahead of'} the database's."
    return (failed if abs(ahead_sec) >= HARMFUL_SEC else warning)(NAME, found, ADVICE)
