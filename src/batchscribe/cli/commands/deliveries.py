"""`batchscribe deliveries`: the webhook events of a job, and sending one again."""

from __future__ import annotations

import typer

from batchscribe.cli import change_options, options
from batchscribe.cli.lazy import lazy_imports
from batchscribe.errors import DeliveryNotFound

with lazy_imports():
    from batchscribe.cli import job_source
    from batchscribe.cli.present import console, sent_events

deliveries_app = typer.Typer(help="Show the webhook events of a job, and send one again.", no_args_is_help=True)


@deliveries_app.command("list")
def list_deliveries(
    job_id: options.JobId,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Show the latest webhook events of a job, newest first, with the attempts to deliver them."""
    with job_source.open_job_source(server, data_dir) as source:
        answer = source.deliveries(job_id)
    if as_json:
        console.print_json(answer)
    else:
        sent_events.show_deliveries(job_id, answer)


@deliveries_app.command("replay")
def replay_delivery(
    job_id: options.JobId,
    event_id: change_options.EventId,
    as_json: options.AsJson = False,
    server: options.Server = None,
    data_dir: options.DataDir = None,
) -> None:
    """Send a webhook event again, with the same content and event ID."""
    with job_source.open_job_source(server, data_dir) as source:
        try:
            answer = source.replay(job_id, event_id)
        except DeliveryNotFound as error:
            raise DeliveryNotFound(
                f"{job_id} has no event {event_id!r}; `batchscribe deliveries list {job_id}` shows its events."
            ) from error
    if as_json:
        console.print_json(answer)
    else:
        sent_events.show_replay(job_id, answer, server=server, data_dir=data_dir)
