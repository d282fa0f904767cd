"""Webhook events of a job, with the attempts to deliver them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from pydantic import Field
from rich.table import Table

from batchscribe.cli.present.change_reports import next_command
from batchscribe.cli.present.console import format_minute, format_text, print_table
from batchscribe.cli.present.job_report import INTERRUPTED, read_answer
from batchscribe.wire.base import JsonObject, WireModel
from batchscribe.wire.choices import DeliveryState
from batchscribe.wire.delivery_answers import AttemptAnswer, DeliveryAnswer


class DeliveriesAnswer(WireModel):
    """The events of a job, newest first, and whether they can be sent again."""

    deliveries: tuple[DeliveryAnswer, ...] = Field(default=())
    can_replay: bool = False


def show_deliveries(job_id: str, body: JsonObject) -> None:
    """Print a table; if there are no events, say so on standard error."""
    answer = read_answer(DeliveriesAnswer, body)
    if not answer.deliveries:
        typer.echo(
            f"{job_id} has no webhook events. A job that was submitted with --webhook-url has one when it ends.",
            err=True,
        )
        return
    table = Table("event", "type", "created", "state", "attempts", "last answer", box=None)
    for each in answer.deliveries:
        last = _describe_last(each.attempts)
        row = (each.event_type, format_minute(each.created_at), each.state.value, _count_attempts(each.attempts), last)
        table.add_row(each.event_id, *row)
    print_table(table)
    if not answer.can_replay:
        typer.echo(
            "These events cannot be sent again, because the URL of the webhook is no longer stored "
            "(BATCHSCRIBE_WEBHOOK_KEEP_SEC).",
            err=True,
        )


def show_replay(job_id: str, body: JsonObject, *, server: str | None, data_dir: Path | None) -> None:
    """Show that an event is being sent again, and the next command."""
    event = read_answer(DeliveryAnswer, body)
    command = dict(body.get(INTERRUPTED, {})).get(job_id)
    if command is not None:
        typer.echo(f"{event.event_id} is sent again when the server runs: {command}")
        return
    is_pending = event.state is DeliveryState.PENDING
    typer.echo(f"{event.event_id} is being sent again." if is_pending else f"{event.event_id}: {event.state}")
    typer.echo(f"next: {next_command('deliveries', 'list', job_id, server=server, data_dir=data_dir)}")


def _count_attempts(attempts: Sequence[AttemptAnswer]) -> str:
    """Return the number of the last attempt, because the list may lack the first ones."""
    return str(attempts[-1].attempt) if attempts else "0"


def _describe_last(attempts: Sequence[AttemptAnswer]) -> str:
    if not attempts:
        return ""
    last = attempts[-1]
    return format_text(last.error or f"{last.status}")
