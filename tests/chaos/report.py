"""The report of a long run, in Markdown: docs/chaos.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from statistics import median
from textwrap import fill

from tests.chaos.figures import IN_HAND
from tests.chaos.fitness import Sick
from tests.chaos.greed import DRY_RUNS, FILES_PER_JOB, JOBS, LONG_RECORDINGS
from tests.chaos.houses import GRACE_SEC, HEARTBEAT_SEC, SILENT_SEC, WORKERS, Shape
from tests.chaos.run import Result
from tests.chaos.sickness import SICKNESSES
from tests.chaos.small_tenant import FAULTS, GREEDY, STARVING, USUAL
from tests.chaos.steps import STEPS

TITLES = {
    Shape.EMBEDDED: "`serve` on SQLite",
    Shape.SQLITE: "fleet on SQLite",
    Shape.POSTGRESQL: "fleet on PostgreSQL",
}

COMMANDS = """\
```sh
make chaos                            # 200 kills, about 30 minutes; as root, or no disk is filled
SEED=7 KILLS=50 make chaos            # in another order, and fewer
```
"""

#: Paragraphs, wrapped when they are written.
ABSTRACT = """\
What becomes of jobs when processes are killed, databases crash, machines run out of memory and storage misbehaves,
tried out in a running service. `make chaos` writes this page. A shorter run of the same kind, with fixed seeds, is part
of `make test`."""

METHOD = (
    f"""\
The real processes run, in three shapes: `batchscribe serve` alone on SQLite; an API and {WORKERS[Shape.SQLITE]}
workers on one SQLite file; an API and {WORKERS[Shape.POSTGRESQL]} workers on PostgreSQL. A service manager starts again
whatever has ended. A client submits jobs all the time (prefixes, manifests and single files, with broken recordings and
other files among them), looks at them, and cancels some. Each recording says its number, which a scripted engine hears,
so a transcript tells which recording it is of. Heartbeats are {HEARTBEAT_SEC:g} s apart (`BATCHSCRIBE_HEARTBEAT_SEC`)
and a worker counts as dead after {SILENT_SEC:g} s (`BATCHSCRIBE_SILENT_SEC`), about a tenth of the defaults; the grace
time is {GRACE_SEC:g} s.""",
    """\
A ledger outside of the database is kept by others than the workers under test: each engine process notes every
transcription that it begins, a proxy before the S3 server every PUT, the webhook receiver every event with a digest of
its body, and whoever kills notes whom.""",
    """\
**Kills** are SIGKILL: of a worker, an API, an engine's or a decoder's process or the server that they are forked from
at any moment, or of the process that is just passing a named step of the flow. **Troubles** last some seconds each,
beside the kills: storage that answers 503, is slow, or cuts connections before or after it did what it was asked; a
webhook receiver that is down, answers 500 or hangs up; a database restarted as by a crash (SIGQUIT); a full disk under
the SQLite file; a worker stopped (SIGSTOP) until it counts as dead, which then goes on; a worker told to end
(SIGTERM).""",
    """\
**Sick workers** run on a machine that lacks something for a while: room in the temporary folder (a small disk that is
filled with data and file names), memory (`RLIMIT_AS` of the running worker and its children, with 0, 8 or 64 MiB to
spare), descriptors (`RLIMIT_NOFILE`), the model (truncated at any place, or gone), or the GPU. Each worker has a
temporary folder, a model and a device of its own, and the scripted engine checks them when it loads, as a real one
does. Its child processes are killed at the same moment, since it is the new ones that meet the trouble. Sometimes all
workers get sick at once. What a worker says of itself is read from its row in the database and from its log.""",
    f"""\
**Two tenants** share the service. The large one has all the jobs above. The small one submits a job of one short
recording, waits for its end, and does so again. Before the first kill its waits are measured beside three things: the
usual load; **starving storage**, which takes the requests for the large tenant's bucket and never answers, or sends two
bytes a second; and **greed**, when the large tenant adds {JOBS} jobs of {FILES_PER_JOB} files, {LONG_RECORDINGS} long
recordings, a job on a storage that never answers, and {DRY_RUNS} dry runs at a time on the same storage. Later both
also happen beside the kills.""",
    """\
When the faults are over, everything must come to its end and to rest, and the invariants below must hold.""",
)

KINDS = {
    "worker": "worker",
    "api": "API",
    "engine": "engine process",
    "decoder": "decoder process",
    "forkserver": "fork server",
}
BESIDE = (USUAL, STARVING, GREEDY, FAULTS)
WIDTH = 120

Row = tuple[str, Callable[[Result], str]]

OVERVIEW: tuple[Row, ...] = (
    ("kills", lambda result: f"{result.figures.kills.total()}"),
    ("other troubles", lambda result: f"{result.figures.troubles.total()}"),
    ("jobs", lambda result: f"{len(result.figures.jobs)}"),
    ("files in them", lambda result: f"{result.figures.files}"),
    ("files that an engine heard", lambda result: f"{result.figures.heard}"),
    ("times that it began with one", lambda result: f"{result.figures.starts}"),
    ("of them repeated", lambda result: f"{result.figures.starts - result.figures.heard}"),
    ("repeated at most: files in hand at each fault", lambda result: f"{result.figures.starts_allowed}"),
    ("PUTs of transcripts refused or cut", lambda result: f"{result.figures.failed_puts}"),
    ("transcripts stored more than once, the same each time", lambda result: f"{result.figures.written_twice}"),
    ("events, and times one was received", lambda result: _events(result)),
    ("worker killed, until a file it had runs again: median", lambda result: _seconds(result, median)),
    ("... the slowest", lambda result: _seconds(result, max)),
    ("requests that the client had to repeat", lambda result: f"{result.refusals}"),
    ("from the last fault until all was in order", lambda result: f"{result.settled_sec:.0f} s"),
    ("took in all", lambda result: f"{result.took_sec / 60:.1f} min"),
)


def report(results: Sequence[Result], seed: int) -> str:
    parts = (
        _introduction(),
        _heading(results, seed),
        _overview(results),
        _invariants(results),
        _sick_workers(results),
        _small_tenant(results),
        _faults(results),
    )
    return "\n".join(chain.from_iterable(parts))


def _introduction() -> Iterable[str]:
    yield "# Crash evidence\n"
    yield f"{_wrapped(ABSTRACT)}\n"
    yield COMMANDS
    yield "## How\n"
    yield from (f"{_wrapped(paragraph)}\n" for paragraph in METHOD)


def _wrapped(paragraph: str) -> str:
    return fill(" ".join(paragraph.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def _heading(results: Sequence[Result], seed: int) -> Iterable[str]:
    kills = sum(result.figures.kills.total() for result in results)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    yield f"## The run of {day}\n"
    load = os.getloadavg()[2]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.0f} (average of 15 minutes)"
    yield f"Seed {seed}, {kills} kills, {machine}.\n"


def _overview(results: Sequence[Result]) -> Iterable[str]:
    yield from _table("", results, [(name, [value(result) for result in results]) for name, value in OVERVIEW])
    remark = f"""A worker has at most {IN_HAND} files in hand. A file is begun again, too, when its transcript could not
    be stored. How soon a file of a dead worker runs again depends on what waits before it, and on the next fault."""
    yield f"{_wrapped(remark)}\n"


def _invariants(results: Sequence[Result]) -> Iterable[str]:
    yield "### Invariants\n"
    names = list(results[0].violations)
    told = [(name, [_verdict(result.violations[name]) for result in results]) for name in names]
    yield from _table("must be true at the end", results, told)
    for result in results:
        for name, sentences in result.violations.items():
            yield from (f"- {result.plan.shape}, {name}: {sentence}" for sentence in sentences)


def _sick_workers(results: Sequence[Result]) -> Iterable[str]:
    yield "### Sick workers\n"
    rows = [
        (each.meaning, [[sick for sick in _sick(result) if sick.sickness == each.name] for result in results])
        for each in SICKNESSES
    ]
    yield from _table("a worker had", results, [(name, [_told(found) for found in cells]) for name, cells in rows])
    back = [("worked again after, in seconds: median", [_back(result, median) for result in results])]
    back += [("... the slowest", [_back(result, max) for result in results])]
    back += [("times that one was unfit, by its log", [_unfit(result) for result in results])]
    back += [("files that it began meanwhile: most", [_begun(result) for result in results])]
    back += [("processes that ended by themselves while they were sick", [_own_ends(result) for result in results])]
    yield from _table("all of them", results, back)
    remark = f"""How often, and in how many cases the worker said so in its row. A worker that has nothing to do at the
    moment notices nothing, and one that is killed meanwhile is well again if it lacked memory or descriptors. The time
    until it works again is that from the end of its trouble to the next file that it begins, so it includes the pause
    before its next trial, and the wait for a file. It may begin up to {IN_HAND} files while it is unfit: those it has
    in hand."""
    yield f"{_wrapped(remark)}\n"


def _sick(result: Result) -> list[Sick]:
    return result.figures.fitness.sick


def _told(found: Sequence[Sick]) -> str:
    return f"{len(found)}, told {sum(each.told_sec is not None for each in found)}" if found else "-"


def _back(result: Result, choose: Callable[[list[float]], float]) -> str:
    found = [each.back_sec for each in _sick(result) if each.back_sec is not None]
    return f"{choose(found):.1f}" if found else "-"


def _unfit(result: Result) -> str:
    return f"{len(result.figures.fitness.unfit_times)}"


def _begun(result: Result) -> str:
    return f"{max((begun for _, _, begun in result.figures.fitness.begun_while_unfit), default=0)}"


def _own_ends(result: Result) -> str:
    return f"{sum(each.is_own_end for each in _sick(result))}"


def _small_tenant(results: Sequence[Result]) -> Iterable[str]:
    yield "### The small tenant\n"
    rows = [(beside, [_waits(result.figures.waits_sec[beside]) for result in results]) for beside in BESIDE]
    yield from _table("its waits, in seconds, beside", results, rows)
    dry = [("were answered", "200"), ("met the limit of a tenant", "429"), ("ended in time without an answer", "503")]
    counted = [(name, [f"{result.figures.dry_runs[status]}" for result in results]) for name, status in dry]
    yield from _table("dry runs of the greedy tenant that", results, counted)


def _waits(found: Sequence[float]) -> str:
    return f"median {median(found):.1f}, slowest {max(found):.1f} ({len(found)} jobs)" if found else "-"


def _faults(results: Sequence[Result]) -> Iterable[str]:
    yield "### Kills and troubles\n"
    steps = {step.name: f"step: {step.meaning}" for step in STEPS}
    named = KINDS | steps
    yield from _table("killed", results, _counted(named, [result.figures.kills for result in results]))
    names = sorted({name for result in results for name in result.figures.troubles})
    troubles = _counted({name: name for name in names}, [result.figures.troubles for result in results])
    yield from _table("trouble", results, troubles)


def _counted(named: dict[str, str], counters: Sequence[dict[str, int]]) -> list[tuple[str, list[str]]]:
    return [(text, [f"{counter.get(name, 0) or '-'}" for counter in counters]) for name, text in named.items()]


def _table(corner: str, results: Sequence[Result], rows: Iterable[tuple[str, Sequence[str]]]) -> Iterable[str]:
    yield "| " + " | ".join([corner, *(TITLES[result.plan.shape] for result in results)]) + " |"
    yield "|" + "---|" * (len(results) + 1)
    for name, values in rows:
        yield "| " + " | ".join([name, *values]) + " |"
    yield ""


def _verdict(violations: Sequence[str]) -> str:
    return f"**broken**, {len(violations)}" if violations else "holds"


def _events(result: Result) -> str:
    received = result.figures.webhooks
    return f"{len(received)}, {received.total()}"


def _seconds(result: Result, choose: Callable[[list[float]], float]) -> str:
    found = result.figures.recoveries_sec
    return f"{choose(found):.1f} s" if found else "-"
