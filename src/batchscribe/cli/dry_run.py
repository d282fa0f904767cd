"""What a job would do, as the server's dry run tells it."""

from __future__ import annotations

from batchscribe.cli.answers import understood
from batchscribe.cli.console import console
from batchscribe.cli.places import printable, shown
from batchscribe.cli.summary import show_counters
from batchscribe.wire.model import JsonObject, WireModel

ROWS = 10  #: planned transcripts that are told one by one


class Planned(WireModel):
    """One recording and where its transcript would go."""

    input_uri: str
    output_uri: str


class DryRun(WireModel):
    """The answer's fields that people read."""

    complete: bool  #: false when the server ran out of time: the counts are then what it had found by then
    matched: int
    skipped: int
    excluded: int
    bytes: int
    estimated_audio_hours: float
    planned: tuple[Planned, ...] = ()
    warnings: tuple[str, ...] = ()


def show_dry_run(body: JsonObject) -> None:
    run, output = understood(DryRun, body), console()
    for planned in run.planned[:ROWS]:
        output.print(f"{shown(planned.input_uri)} -> {shown(planned.output_uri)}")
    if run.matched > len(run.planned[:ROWS]):
        output.print(f"... and {run.matched - len(run.planned[:ROWS])} more")
    for warning in run.warnings:
        output.print(f"Warning: {printable(warning)}")
    show_counters(output, _counters(run))


def _counters(run: DryRun) -> dict[str, str]:
    least = "" if run.complete else "at least "
    return {
        "matched": f"{least}{run.matched}",
        "skipped": f"{least}{run.skipped}",
        "excluded": f"{least}{run.excluded}",
        "size": f"{least}{run.bytes / 2**20:.1f} MiB",
        "audio": f"{least}about {run.estimated_audio_hours:.1f} h",
    }
