"""One worker process: works, and stops as it was asked to."""

from __future__ import annotations

import typer

from batchscribe.cli.ending import END_SEC, EXIT_MUST_END, Ending, ending
from batchscribe.cli.metrics_server import metrics_server
from batchscribe.cli.records import opened
from batchscribe.intake.submission import SERVER_LANE
from batchscribe.settings import Settings
from batchscribe.speech.registry import engines_at_hand, engines_of
from batchscribe.work.confinement import begin_to_tell
from batchscribe.work.worker import Worker

LOOK_SEC = 0.2


def run_worker(settings: Settings) -> int:
    """The exit status. Raises `EngineNotAvailable`, `InvalidSetting`, `SchemaMismatch`, `SecretKeyChanged`."""
    engines_at_hand(settings.engine, settings)  # raises where there is none
    records = opened(settings)
    with ending(settings.grace_sec + END_SEC) as end, metrics_server(settings, records):
        worker = Worker(records, settings)
        worker.start(lanes=[SERVER_LANE], engines=engines_of(settings))
        begin_to_tell(settings)
        try:
            typer.echo(f"batchscribe worker {settings.worker_name} is ready")
            _wait(worker, end)
            if not worker.drain(settings.grace_sec):
                typer.echo("The grace time is over: unfinished files go back to the other workers.", err=True)
        finally:
            worker.stop()
    return EXIT_MUST_END if worker.must_end.is_set() else 0


def _wait(worker: Worker, end: Ending) -> None:
    while not end.asked:
        if worker.must_end.wait(LOOK_SEC):
            typer.echo(worker.why_end, err=True)
            return
