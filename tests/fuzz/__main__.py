"""`make fuzz`: the long run. SEED, CASES and REPORT in the environment set its seed, its length and its report file.

Finished cases are recorded in a file, so an interrupted run continues where it stopped.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from tests.fuzz.report import report
from tests.fuzz.run import DEATH, HANG, Case, fuzz

SEED, CASES, REPORT = "1", "10000", "docs/fuzz.md"


def main() -> int:
    """Return the exit status: 0 if no decoder died or hung."""
    seed, count = int(os.environ.get("SEED", SEED)), int(os.environ.get("CASES", CASES))
    ledger = Path(tempfile.gettempdir()) / f"batchscribe-fuzz-{seed}.jsonl"
    done = {case.number: case for case in _noted(ledger) if case.number < count}
    with ledger.open("a") as notes:
        for case in fuzz(seed, (number for number in range(count) if number not in done)):
            notes.write(json.dumps(case.as_json()) + "\n")
            notes.flush()
            done[case.number] = case
            if case.outcome in (DEATH, HANG):
                sys.stderr.write(f"{case}\n")
            if len(done) % 500 == 0:
                sys.stderr.write(f"{len(done)} of {count}\n")
    Path(os.environ.get("REPORT", REPORT)).write_text(report(list(done.values()), seed))
    ledger.unlink()
    return 1 if any(case.outcome in (DEATH, HANG) for case in done.values()) else 0


def _noted(ledger: Path) -> list[Case]:
    """The finished cases of an interrupted run; the last line may be incomplete."""
    lines = ledger.read_text().splitlines(keepends=True) if ledger.exists() else []
    return [Case(**json.loads(line)) for line in lines if line.endswith("\n")]


if __name__ == "__main__":
    sys.exit(main())
