"""`/metrics` of a process that has no HTTP interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from prometheus_client import start_http_server

from batchscribe.errors import InvalidSetting
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
    host = settings.metrics_host
    say_name(settings.worker_name)
    try:
        server, thread = start_http_server(settings.metrics_port, host, registry_of(records, settings))
    except OSError as error:
        place = f"{host} port {settings.metrics_port}"
        raise InvalidSetting(
            f"Cannot serve metrics on {place} ({error.strerror}); choose another with --metrics-port."
        ) from error
    typer.echo(f"Metrics are on http://{f'[{host}]' if ':' in host else host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
