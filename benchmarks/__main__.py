"""`make bench`: all measurements, or those that are named: `python -m benchmarks service memory`."""

from __future__ import annotations

import logging
import sys

import structlog

from benchmarks import commands, memory, overhead, service, wire
from benchmarks.report import show

MEASUREMENTS = {
    "service": ("Service against bare engine (pocketsphinx)", service.measure),
    "overhead": ("Overhead per file (five-second recordings, scripted engine)", overhead.measure),
    "commands": ("CPU time of commands", commands.measure),
    "memory": ("Memory", memory.measure),
    "wire": ("The HTTP interface (a job of 1,000,000 files on record, workers busy)", wire.measure),
}


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for name in sys.argv[1:] or MEASUREMENTS:
        title, measure = MEASUREMENTS[name]
        show(title, measure())


if __name__ == "__main__":
    main()
