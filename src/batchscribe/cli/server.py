"""One server process: listens, works, and stops as it was asked to."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer
import uvicorn

from batchscribe.api.app import create_app
from batchscribe.api.loopback import is_loopback
from batchscribe.cli.records import opened, opened_alone
from batchscribe.cli.server_log import log_of_uvicorn
from batchscribe.database.api_key import list_keys
from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings
from batchscribe.work.records import Records
from batchscribe.work.requested import SERVER_LANE
from batchscribe.work.worker import Worker

REQUESTS_SEC = 5  #: that open requests get to finish
END_SEC = 15.0  #: after the grace time; then the process ends anyhow: work on record bears that
BACKLOG = 2048
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_server(settings: Settings, *, with_worker: bool) -> int:
    """The exit status. Raises `InvalidSetting`, `DataDirectoryBusy`."""
    _check_auth(settings)
    with _listening(settings) as listener, _ending(settings):
        if with_worker:
            with opened_alone(settings) as records:
                _work_and_serve(records, settings, listener)
        else:
            records = opened(settings)
            records.flow.prepare()
            _serve(records, settings, listener)
    return 0


def _check_auth(settings: Settings) -> None:
    if settings.auth == "off" and not is_loopback(settings.host):
        raise InvalidSetting(
            f"BATCHSCRIBE_AUTH=off goes with loopback addresses only, and {settings.host} is none; use "
            "--host 127.0.0.1, or leave it on and make keys with `batchscribe keys create`."
        )


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        place = f"{settings.host} port {settings.port}"
        raise InvalidSetting(f"Cannot listen on {place} ({error.strerror}); choose another with --port.") from error
    with listener:
        # Connections inherit it. asyncio sets it only on sockets that name their protocol, which `create_server` does
        # not: every answer would wait 40 ms for the client's word that it has the headers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


@contextmanager
def _ending(settings: Settings) -> Iterator[None]:
    """The first signal is uvicorn's to act on, which passes it on here when it is done; the second one ends it all."""
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) > 1:
            os._exit(128 + number)
        end = threading.Timer(settings.grace_sec + END_SEC, os._exit, [1])
        end.daemon = True
        end.start()

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _work_and_serve(records: Records, settings: Settings, listener: socket.socket) -> None:
    worker = Worker(records, settings)
    worker.start(lanes=[SERVER_LANE])
    try:
        _serve(records, settings, listener)
        if not worker.drain(settings.grace_sec):
            typer.echo("The grace time is over: unfinished files are done by the next process.", err=True)
    finally:
        worker.stop()


def _serve(records: Records, settings: Settings, listener: socket.socket) -> None:
    _tell_no_keys(records, settings)
    config = uvicorn.Config(
        create_app(records, settings),
        log_config=log_of_uvicorn(),
        access_log=False,  # the front door logs each request, without its query
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=REQUESTS_SEC,
    )
    Server(config).run(sockets=[listener])


def _tell_no_keys(records: Records, settings: Settings) -> None:
    if settings.auth == "off":
        return
    with records.transaction() as connection:
        has_key = any(key.revoked_at is None for key in list_keys(connection))
    if not has_key:
        hint = "There is no API key yet, so nobody is let in: batchscribe keys create --tenant NAME"
        typer.echo(hint, err=True)


class Server(uvicorn.Server):
    """Says where it is as soon as it answers there."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            typer.echo(f"batchscribe is ready on http://{f'[{host}]' if ':' in host else host}:{port}")
