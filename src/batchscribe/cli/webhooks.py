"""`batchscribe webhooks`: help for those who write a receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from batchscribe.cli.webhook_arrival import Arrival

webhooks_app = typer.Typer(no_args_is_help=True)

Secret = Annotated[
    str | None,
    typer.Option(help="Secret to check signatures with; without it they are not checked.", show_default=False),
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 means any free port.")]
Lines = Annotated[bool, typer.Option("--json", help="Print one line of JSON per event.")]


@webhooks_app.callback()  # without one, Typer would take the only command for the whole
def webhooks() -> None:
    """Receive webhooks of jobs, for testing."""


@webhooks_app.command()
def listen(secret: Secret = None, host: Host = "127.0.0.1", port: Port = 9000, as_json: Lines = False) -> None:
    """Receive webhooks, check their signatures and print a line for each, until Ctrl-C."""
    from batchscribe.cli.webhook_listener import receive

    def ready(url: str) -> None:
        unchecked = "" if secret else " Signatures are not checked without --secret."
        typer.echo(f"Listening on {url}; Ctrl-C ends it.{unchecked}", err=True)

    def show(arrival: Arrival) -> None:
        typer.echo(arrival.as_json() if as_json else arrival.line())

    receive(host, port, secret=secret, show=show, ready=ready)
