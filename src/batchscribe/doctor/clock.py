"""This machine's clock against the database's, which all others share."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.inspection import clock_ahead_sec
from batchscribe.doctor.check import Check, failed, ok, warning

NAME = "clock"
NOTICED_SEC = 2.0  #: ages in metrics and in logs are wrong by as much
HARMFUL_SEC = 60.0  #: tokens of clients are refused, and S3 and receivers of webhooks refuse our signatures
ADVICE = "Let both machines set their clocks by NTP: `timedatectl set-ntp true`."


def check_clock(connection: sa.Connection) -> Check:
    return judged(clock_ahead_sec(connection))


def judged(ahead_sec: float) -> Check:
    """`ahead_sec` is how far the database's clock is ahead of this one."""
    if abs(ahead_sec) < NOTICED_SEC:
        return ok(NAME, "It agrees with the database's to within 2 s.")
    found = f"It is {abs(ahead_sec):.0f} s {'behind' if ahead_sec > 0 else 'ahead of'} the database's."
    return (failed if abs(ahead_sec) >= HARMFUL_SEC else warning)(NAME, found, ADVICE)
