"""`/metrics` of a process that has no HTTP interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from batchscribe.api.connections import Limits
from batchscribe.api.metrics import metrics_app
from batchscribe.api.serving import Server
from batchscribe.cli.listening import listening, url_of
from batchscribe.metrics import say_name
from batchscribe.settings import Settings
from batchscribe.work.gauges import registry_of
from batchscribe.work.records import Records


@contextmanager
def metrics_server(settings: Settings, records: Records) -> Iterator[None]:
    """Serve on `metrics_port` meanwhile, where the settings name one. Raises `InvalidSetting`."""
    if settings.metrics_port is None:
        yield
        return
    say_name(settings.worker_name)
    with listening(settings.metrics_host, settings.metrics_port, "serve metrics", "--metrics-port") as listener:
        ended = threading.Event()
        server = Server(metrics_app(registry_of(records, settings)), Limits.of(settings), until=ended)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="metrics", daemon=True)
        thread.start()
        typer.echo(f"Metrics are on {url_of(listener)}/metrics")
        try:
            yield
        finally:
            ended.set()
            thread.join()
