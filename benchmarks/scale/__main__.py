"""`make bench-scale`: all measurements on both databases, or those named: `python -m benchmarks.scale idle`."""

from __future__ import annotations

import logging
import sys

import structlog
from tests.servers.postgresql import missing_binaries, running_postgresql

from benchmarks.report import show
from benchmarks.scale import commits, death, idle, large, pages, small, speedup
from benchmarks.scale.house import Kind

MEASUREMENTS = {
    "large": ("A job of a million files", large.measure),
    "pages": ("Pages with a job of a million files", pages.measure),
    "commits": ("The flow itself", commits.measure),
    "small": ("Small recordings (scripted engine)", small.measure),
    "speedup": ("Twice the cores", speedup.measure),
    "death": ("A worker dies", death.measure),
    "idle": ("Nothing to do", idle.measure),
}
#: Safe against a power failure; the server of the tests is faster.
DURABLE = {"fsync": "on", "full_page_writes": "on"}


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    names = sys.argv[1:] or list(MEASUREMENTS)
    _measure(names, Kind("SQLite"))
    if missing := missing_binaries():
        print(f"\nNo PostgreSQL here ({', '.join(missing)} missing): apt-get install postgresql")
        return
    with running_postgresql(DURABLE) as server:
        _measure(names, Kind("PostgreSQL", server))


def _measure(names: list[str], kind: Kind) -> None:
    for name in names:
        title, measure = MEASUREMENTS[name]
        show(f"{title}, {kind.name}", measure(kind))


if __name__ == "__main__":
    main()
