"""`batchscribe webhooks`: tools for developers of a receiver."""

from __future__ import annotations

import typer

from batchscribe.cli import options
from batchscribe.cli.lazy import lazy_imports

with lazy_imports():
    from batchscribe.cli import webhook_listener

webhooks_app = typer.Typer(no_args_is_help=True)


@webhooks_app.callback()  # without a callback, Typer would replace the group by its only command
def webhooks() -> None:
    """Receive webhooks of jobs, for testing."""


@webhooks_app.command()
def listen(
    secret: options.WebhookSecret = None,
    host: options.WebhookHost = "127.0.0.1",
    port: options.WebhookPort = 9000,
    as_json: options.JsonLines = False,
) -> None:
    """Receive webhooks, check their signatures and print a line for each, until Ctrl-C."""

    def ready(url: str) -> None:
        unchecked = "" if secret else " Signatures are not checked without --secret."
        typer.echo(f"Listening on {url}; Ctrl-C ends it.{unchecked}", err=True)

    def show(arrival: webhook_listener.WebhookArrival) -> None:
        typer.echo(arrival.format_json() if as_json else arrival.format_line())

    webhook_listener.receive(host, port, secret=secret, show=show, ready=ready)
