"""The options of commands that change a job or send an event again."""

from __future__ import annotations

from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
EventId = Annotated[
    str, typer.Argument(metavar="EVENT", help="The event's id, as `batchscribe deliveries list` shows it.")
]
