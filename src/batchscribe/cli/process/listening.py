"""Listening sockets, and `/metrics` of a process without an HTTP interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from batchscribe.api.connections import ConnectionLimits
from batchscribe.api.metrics_route import metrics_app
from batchscribe.api.serving import BACKLOG, Server
from batchscribe.errors import InvalidSetting
from batchscribe.metrics import set_worker_name
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.worker.gauges import registry_of


@contextmanager
def listen(host: str, port: int, purpose: str, option: str) -> Iterator[socket.socket]:
    """Listen in this block. The error names `purpose` and the port's `option`. Raises `InvalidSetting`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # `create_server` adds the address, which the sentence already names.
        reason, _, _ = (error.strerror or str(error)).partition(" (while attempting")
        raise InvalidSetting(
            f"Cannot {purpose} on {host} port {port} ({reason}); choose another with {option}."
        ) from error
    with listener:
        # Connections inherit this option. asyncio sets it only on sockets that name their protocol, and `create_server`
        # does not name it. Without it, each response waits 40 ms for the client to acknowledge the headers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def format_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def serve_metrics(settings: Settings, records: Records) -> Iterator[None]:
    """Serve `/metrics` in this block if the settings name a `metrics_port`. Raises `InvalidSetting`."""
    if settings.metrics_port is None:
        yield
        return
    set_worker_name(settings.worker_name)
    with listen(settings.metrics_host, settings.metrics_port, "serve metrics", "--metrics-port") as listener:
        ended = threading.Event()
        server = Server(
            metrics_app(registry_of(records, settings)), ConnectionLimits.of(settings), must_end=ended.is_set
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="metrics", daemon=True)
        thread.start()
        typer.echo(f"Metrics are on {format_url(listener)}/metrics")
        try:
            yield
        finally:
            ended.set()
            thread.join()
