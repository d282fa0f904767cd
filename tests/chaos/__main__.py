"""`make chaos`: the long run. SEED, KILLS and REPORT in the environment set its seed, length and report file."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from random import Random

from tests.chaos.houses import Shape
from tests.chaos.report import report
from tests.chaos.run import Plan, Result, run
from tests.chaos.steps import STEPS

SEED, KILLS, REPORT = "1", "200", "docs/chaos.md"
STEP_SHARE = 0.52  #: share of kills at a named step; with 200 kills, each step occurs in each shape
SHARES = {Shape.EMBEDDED: 0.25, Shape.SQLITE: 0.25, Shape.POSTGRESQL: 0.5}
#: A single process must restart before the next kill makes sense.
KILL_EVERY_SEC = {Shape.EMBEDDED: (3.0, 8.0), Shape.SQLITE: (3.0, 7.0), Shape.POSTGRESQL: (2.0, 6.0)}
TROUBLE_EVERY_SEC = (4.0, 10.0)
BESIDE_SEC = 40.0


def main() -> int:
    """Return the exit status: 0 if every invariant holds."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all processes are ended
    seed, kills = int(os.environ.get("SEED", SEED)), int(os.environ.get("KILLS", KILLS))
    shapes = [Shape(word) for word in sys.argv[1:]] or list(Shape)
    results = [play(shape, seed, max(1, round(kills * SHARES[shape]))) for shape in shapes]
    text = report(results, seed)
    Path(os.environ.get("REPORT", REPORT)).write_text(text)
    sys.stdout.write(text)
    return 0 if all(result.is_good for result in results) else 1


def play(shape: Shape, seed: int, kills: int) -> Result:
    """Run one shape. The ledger, the logs and, if an invariant is broken, the database rows are kept in a folder."""
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{shape}-"))
    tell(f"{shape}: {folder}")
    result = run(plan(shape, seed, kills), folder / "run", tell)
    for name, sentences in result.violations.items():
        tell(f"{shape}: {'BROKEN' if sentences else 'holds'}: {name}")
        for sentence in sentences:
            tell(f"    {sentence}")
    tell(f"{shape}: not reached: {result.not_reached}; own ends: {dict(result.figures.own_ends)}")
    return result


def plan(shape: Shape, seed: int, kills: int) -> Plan:
    """Choose the steps so that each occurs before any is repeated."""
    steps = [step.name for step in STEPS]
    Random(seed).shuffle(steps)  # noqa: S311 - no secret
    chosen = tuple(islice(cycle(steps), round(kills * STEP_SHARE)))
    return Plan(shape, seed, kills, chosen, KILL_EVERY_SEC[shape], TROUBLE_EVERY_SEC, beside_sec=BESIDE_SEC)


def tell(sentence: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
