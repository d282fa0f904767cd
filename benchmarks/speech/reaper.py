"""Runs a command, waits for all its descendants, and writes their total cost to a JSON file.

Run as `python -m benchmarks.speech.reaper ANSWER COMMAND...`. Processes whose parent has ended become children of this
one, so the kernel's own count of CPU time misses none, as it would where a fork server outlives the command.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def main() -> None:
    answer, command = Path(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit("this kernel does not hand over orphaned processes")
    began_at = time.monotonic()
    code = subprocess.run(command, stdout=sys.stderr, check=False).returncode
    wall_sec = time.monotonic() - began_at
    _wait_for_orphans()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer.write_text(json.dumps({"cpu_sec": usage.ru_utime + usage.ru_stime, "wall_sec": wall_sec}))
    sys.exit(code)


def _wait_for_orphans() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
