"""The life cycle of a server or worker process, from its start to its clean end."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from functools import partial

import typer
from starlette.types import ASGIApp

from batchscribe.api.connections import ConnectionLimits, raise_open_files
from batchscribe.api.front import is_loopback
from batchscribe.api.serving import Server
from batchscribe.cli.lazy import paused_collection
from batchscribe.cli.local_records import name_home, open_alone, open_local_records
from batchscribe.cli.process.listening import format_url, listen, serve_metrics
from batchscribe.cli.process.settings_report import report_settings
from batchscribe.cli.process.signals import END_SEC, EXIT_MUST_END, EndRequest, handle_signals
from batchscribe.database.api_key_rows import list_keys
from batchscribe.errors import InvalidSetting
from batchscribe.queue.records import Records
from batchscribe.queue.tasks import SERVER_LANE
from batchscribe.settings import Settings
from batchscribe.speech.registry import engines_of, find_engines
from batchscribe.web.app import create_site
from batchscribe.worker.confinement_report import start_confinement_report
from batchscribe.worker.machine_health import MachineHealth
from batchscribe.worker.worker import Worker

LOOK_SEC = 0.2
#: Python's thread switch interval. A request passes through a dozen threads. With the default of 5 ms, a GET takes
#: twice as long while other requests submit and list jobs.
SWITCH_SEC = 0.001


def run_server(settings: Settings, *, with_worker: bool) -> int:
    """Run a server and return the exit status. Raises `InvalidSetting`, `DataDirectoryBusy`."""
    report_settings()
    _check_auth(settings)
    _check_profanity_file(settings)
    raise_open_files()
    opened_port = listen(settings.host, settings.port, "listen", "--port")
    with opened_port as listener, handle_signals(settings.grace_sec + END_SEC) as end:
        if with_worker:
            with open_alone(settings) as records:
                return _work_and_serve(records, settings, listener, end)
        records = open_local_records(settings)
        if not settings.is_fleet:
            records.flow.prepare()
        _serve(records, settings, listener, must_end=lambda: end.has_come)
    return 0


def _check_auth(settings: Settings) -> None:
    if settings.auth == "off" and not is_loopback(settings.host):
        raise InvalidSetting(
            f"BATCHSCRIBE_AUTH=off is allowed only on a loopback address, and {settings.host} is not one; use "
            "--host 127.0.0.1, or leave it on and create keys with `batchscribe keys create`."
        )


def _check_profanity_file(settings: Settings) -> None:
    if settings.profanity_file is not None:
        from batchscribe.transcript.profanity import load_filter

        load_filter(settings.profanity_file)  # raises if the file is invalid


def _work_and_serve(records: Records, settings: Settings, listener: socket.socket, end: EndRequest) -> int:
    worker = Worker(records, settings)
    engines = engines_of(settings) if settings.is_fleet else None
    with paused_collection():  # it imports the queue
        worker.start(lanes=[SERVER_LANE], engines=engines, home=name_home(settings))
    start_confinement_report(settings)
    try:
        must_end = partial(_must_end, worker, end)
        _serve(records, settings, listener, must_end=must_end, health=worker.health)
        if not worker.drain(end.left_sec(settings.grace_sec)):
            typer.echo("The grace time is over; the next process continues the unfinished files.", err=True)
    finally:
        worker.stop()
    if worker.must_end.is_set():
        typer.echo(worker.why_end, err=True)
        return EXIT_MUST_END
    return 0


def _must_end(worker: Worker, end: EndRequest) -> bool:
    """Return whether to end. After a signal, the worker starts no new file while the server finishes its requests."""
    if end.has_come:
        worker.watch.drain()
    return end.has_come or worker.must_end.is_set()


def _serve(
    records: Records,
    settings: Settings,
    listener: socket.socket,
    *,
    must_end: Callable[[], bool],
    health: MachineHealth | None = None,
) -> None:
    _report_missing_key(records, settings)
    sys.setswitchinterval(SWITCH_SEC)
    with paused_collection():
        app = create_site(records, settings, health=health, is_ending=must_end)
    has_pages = settings.web == "on"
    AnnouncedServer(app, ConnectionLimits.of(settings), must_end, has_pages=has_pages).run(sockets=[listener])


def _report_missing_key(records: Records, settings: Settings) -> None:
    if settings.auth == "off":
        return
    with records.transaction() as connection:
        has_key = any(key.revoked_at is None for key in list_keys(connection))
    if not has_key:
        hint = "No API key exists yet, so every request is refused; run `batchscribe keys create --tenant NAME`."
        typer.echo(hint, err=True)


class AnnouncedServer(Server):
    """A server that prints its URL as soon as it is ready."""

    def __init__(
        self, app: ASGIApp, limits: ConnectionLimits, must_end: Callable[[], bool], *, has_pages: bool
    ) -> None:
        super().__init__(app, limits, must_end)
        self._has_pages = has_pages

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            hint = " (open it in a browser)" if self._has_pages else ""
            typer.echo(f"batchscribe is ready on {format_url(listener)}{hint}")


def run_worker(settings: Settings) -> int:
    """Run a worker and return the exit status.

    Raises `EngineNotAvailable`, `InvalidSetting`, `SchemaMismatch`, `SecretKeyChanged`.
    """
    report_settings()
    find_engines(settings.engine, settings)  # raises if there is no engine
    _check_profanity_file(settings)
    records = open_local_records(settings)
    with handle_signals(settings.grace_sec + END_SEC) as end, serve_metrics(settings, records):
        worker = Worker(records, settings)
        with paused_collection():  # it imports the queue
            worker.start(lanes=[SERVER_LANE], engines=engines_of(settings))
        start_confinement_report(settings)
        try:
            typer.echo(f"batchscribe worker {settings.worker_name} is ready")
            _wait(worker, end)
            if not worker.drain(end.left_sec(settings.grace_sec)):
                typer.echo("The grace time is over; unfinished files go back to the other workers.", err=True)
        finally:
            worker.stop()
    return EXIT_MUST_END if worker.must_end.is_set() else 0


def _wait(worker: Worker, end: EndRequest) -> None:
    while not end.has_come:
        if worker.must_end.wait(LOOK_SEC):
            typer.echo(worker.why_end, err=True)
            return
