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
make chaos                            # 200 kills, about 30 minutes; fills disks only as root
SEED=7 KILLS=50 make chaos            # another order, fewer kills
```
"""

#: Paragraphs. They are wrapped when the report is written.
ABSTRACT = """\
This page shows what happens to jobs when processes are killed, databases crash, machines run out of memory and storage
misbehaves. `make chaos` runs the test against a real service and writes the page. `make test` includes a shorter run
with fixed seeds."""

METHOD = (
    f"""\
**The service** runs as real processes, in three shapes: `batchscribe serve` alone on SQLite; an API and
{WORKERS[Shape.SQLITE]} workers on one SQLite file; an API and {WORKERS[Shape.POSTGRESQL]} workers on PostgreSQL. A
service manager restarts processes that end. A client submits jobs all the time, polls them, and cancels some. The
jobs are prefixes, manifests and single files, and contain broken recordings and other files. Each recording says its
number, and a scripted engine recognizes it, so each transcript identifies its recording. Heartbeats are
{HEARTBEAT_SEC:g} s apart (`BATCHSCRIBE_HEARTBEAT_SEC`), and a worker counts as dead after {SILENT_SEC:g} s
(`BATCHSCRIBE_SILENT_SEC`), about a tenth of the defaults. The grace time is {GRACE_SEC:g} s.""",
    """\
**A ledger** outside the database records what happened: each engine process records every transcription that it
starts, a proxy in front of the S3 server every PUT, and the webhook receiver every event with a digest of its body.
The test itself records whom it kills.""",
    """\
**Kills** are SIGKILL. The victim is a worker, an API, an engine process, a decoder process, or the fork server of these
two, at a random moment, or the process that reaches a named step of the flow.""",
    """\
**Troubles** last some seconds each, at the same time as the kills. Storage answers 503, is slow, or closes connections
before or after it has carried out the request. A webhook receiver is down, answers 500, or hangs up. The database
restarts as after a crash (SIGQUIT), or the disk of the SQLite file is full. A worker is stopped (SIGSTOP) until it
counts as dead, and then continues, or is asked to end (SIGTERM).""",
    """\
**Sick workers** run on a machine that lacks something for a while. The temporary folder is full: it is a small disk,
filled with data and file names. Memory is short: `RLIMIT_AS` leaves the running worker and its children 0, 8 or 64 MiB.
There are no descriptors left (`RLIMIT_NOFILE`). The model is truncated or missing, or there is no GPU. Each worker has
its own temporary folder, model and device, and the scripted engine checks them when it loads, as a real engine does.
The worker's children are killed at the same moment, because only new children are affected. Sometimes all workers get
sick at once. Their own reports are read from their rows in the database and from their logs.""",
    f"""\
**Two tenants** share the service. The large one has all the jobs above. The small one repeatedly submits a job with
one short recording and waits for its end. Before the first kill, its waits are measured under three conditions. The
first is the usual load. The second is **starving storage**: it accepts the requests for the large tenant's bucket and
never answers, or sends two bytes a second. The third is **greed**: the large tenant adds {JOBS} jobs of
{FILES_PER_JOB} files, {LONG_RECORDINGS} long recordings, a job on storage that never answers, and {DRY_RUNS}
concurrent dry runs on that storage. Later, both also happen during the kills.""",
    """\
When the faults are over, all jobs must end, all processes must become idle, and the invariants below must hold.""",
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
    ("files in these jobs", lambda result: f"{result.figures.files}"),
    ("files that an engine started", lambda result: f"{result.figures.heard}"),
    ("starts of these files", lambda result: f"{result.figures.starts}"),
    ("repeated starts", lambda result: f"{result.figures.starts - result.figures.heard}"),
    ("upper bound: files in progress at each fault", lambda result: f"{result.figures.starts_allowed}"),
    ("PUTs of transcripts rejected or cut off", lambda result: f"{result.figures.failed_puts}"),
    ("transcripts stored repeatedly, always identical", lambda result: f"{result.figures.written_twice}"),
    ("webhook events, and deliveries", lambda result: _events(result)),
    ("from a worker's death until its file runs again: median", lambda result: _seconds(result, median)),
    ("... the slowest", lambda result: _seconds(result, max)),
    ("requests that the client repeated", lambda result: f"{result.refusals}"),
    ("from the last fault until all invariants hold", lambda result: f"{result.settled_sec:.0f} s"),
    ("total time", lambda result: f"{result.took_sec / 60:.1f} min"),
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
    yield "# Chaos test\n"
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
    remark = f"""A worker has at most {IN_HAND} files in progress. A file also starts again if its transcript could not
    be stored. How soon a file of a dead worker runs again depends on the files that wait before it, and on the next
    fault."""
    yield f"{_wrapped(remark)}\n"


def _invariants(results: Sequence[Result]) -> Iterable[str]:
    yield "### Invariants\n"
    names = list(results[0].violations)
    told = [(name, [_verdict(result.violations[name]) for result in results]) for name in names]
    yield from _table("invariant", results, told)
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
    back = [("seconds until it worked again: median", [_back(result, median) for result in results])]
    back += [("... the slowest", [_back(result, max) for result in results])]
    back += [("periods of unfitness, by its log", [_unfit(result) for result in results])]
    back += [("most files started during one of them", [_begun(result) for result in results])]
    back += [("processes that exited while sick", [_own_ends(result) for result in results])]
    yield from _table("all of them", results, back)
    remark = f"""The table shows how often a worker was sick, and how often it reported that in its row. An idle worker
    notices nothing, and a worker that is killed recovers if it lacked memory or descriptors. The time until it works
    again ends when it starts its next file, so it includes the pause before its next trial and the wait for a file. An
    unfit worker may start up to {IN_HAND} files: those already in progress."""
    yield f"{_wrapped(remark)}\n"


def _sick(result: Result) -> list[Sick]:
    return result.figures.fitness.sick


def _told(found: Sequence[Sick]) -> str:
    return f"{len(found)}, reported {sum(each.told_sec is not None for each in found)}" if found else "-"


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
    yield from _table("its waits, in seconds, during", results, rows)
    dry = [("were answered", "200"), ("reached the tenant's limit", "429"), ("timed out", "503")]
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
