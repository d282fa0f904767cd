"""How long a process may take to end after a signal."""

from __future__ import annotations

import signal

from batchscribe.cli.process.signals import handle_signals

GRACE_SEC = 3600.0


def test_the_grace_time_runs_from_the_signal_on() -> None:
    with handle_signals(GRACE_SEC) as end:
        assert end.left_sec(GRACE_SEC) == GRACE_SEC
        signal.raise_signal(signal.SIGTERM)
        assert end.has_come
        first = end.left_sec(GRACE_SEC)
        assert end.left_sec(GRACE_SEC) <= first < GRACE_SEC
        assert end.left_sec(0.0) == 0.0
