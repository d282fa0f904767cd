"""The report of a long run, in Markdown: docs/fuzz.md."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import fill

from tests.fuzz.bases import bases
from tests.fuzz.mutations import MUTATIONS
from tests.fuzz.run import DEATH, HANG, Case

_METHOD = """\
Each is one of {bases} recordings of about a second, of all containers and codecs, mutated by chance:
{kinds}. Three of ten are mutated
twice. They go through a real decoder pool, in turn mixed and with channels apart, with and without voice detection.
Each must end in windows of sound or in an error with a code of its own. A decoder that runs out of memory says so
itself, so every death of one counts as unexplained."""
_HEAD = """\
# Hostile recordings

What decoders make of mutated recordings. `make fuzz` writes this page; 500 of them are part of `make test`.

```sh
make fuzz                             # 10,000 mutated recordings; goes on where it was interrupted
SEED=7 CASES=2000 make fuzz           # others, and fewer
```

{method}

## The run of {date}

Seed {seed}, {count} recordings, Python {python}, {cores} cores: {minutes:.1f} minutes, {cpu:.0f} s of CPU in decoders;
the slowest took {slowest:.1f} s of CPU.

**Decoder deaths: {deaths}. Hangs: {hangs}.**

"""


def report(cases: Sequence[Case], seed: int) -> str:
    outcomes = Counter(case.outcome for case in cases)
    head = _HEAD.format(
        method=fill(_METHOD.format(bases=len(bases()), kinds=", ".join(MUTATIONS)), 120),
        date=datetime.now(UTC).date(),
        seed=seed,
        count=f"{len(cases):,}",
        python=platform.python_version(),
        cores=os.cpu_count(),
        minutes=sum(case.wall_sec for case in cases) / 60,
        cpu=sum(case.cpu_sec for case in cases),
        slowest=max(case.cpu_sec for case in cases),
        deaths=outcomes[DEATH],
        hangs=outcomes[HANG],
    )
    columns = sorted(outcomes, key=lambda outcome: (-outcomes[outcome], outcome))
    return head + _table(cases, columns)


def _table(cases: Sequence[Case], columns: Sequence[str]) -> str:
    titles = [column if column.islower() else f"`{column}`" for column in columns]
    lines = ["| mutation | " + " | ".join(titles) + " |", "|---" * (len(columns) + 1) + "|"]
    for kind in [*MUTATIONS, "all"]:
        of_kind = Counter(case.outcome for case in cases if kind in ("all", case.kind))
        lines.append(f"| {kind} | " + " | ".join(str(of_kind[column]) for column in columns) + " |")
    return "\n".join(lines) + "\n"
