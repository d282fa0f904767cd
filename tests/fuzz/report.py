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
The run starts from {bases} recordings of about a second that cover all containers and codecs. Each case applies a
random mutation to one of them: {kinds}. Three in ten cases apply a second one. A real decoder
pool decodes the results, with
channels mixed and separate in turn, and with and without voice detection. Each case must end with audio or with an
error that has its own code. A decoder reports running out of memory itself, so every decoder death counts as
unexplained."""
_HEAD = """\
# Mutated recordings

This page shows how the decoder handles damaged and hostile recordings. `make fuzz` runs the test and writes the page;
`make test` includes 500 other cases.

```sh
make fuzz                             # 10,000 mutated recordings; continues an interrupted run
SEED=7 CASES=2000 make fuzz           # a different and shorter run
```

{method}

## Run of {date}

Seed {seed}, {count} recordings, Python {python}, {cores} cores: {minutes:.1f} minutes, {cpu:.0f} s of decoder CPU time.
The slowest case took {slowest:.1f} s of CPU time.

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
