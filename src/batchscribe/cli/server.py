"""One server process: listens, works, and stops as it was asked to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer
import uvicorn

from batchscribe.api.app import create_app
from batchscribe.api.loopback import is_loopback
from batchscribe.cli.ending import END_SEC, EXIT_OUTDATED, OUTDATED, ending
from batchscribe.cli.records import home_of, opened, opened_alone
from batchscribe.database.api_key import list_keys
from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings
from batchscribe.speech.registry import ENGINE_NAMES, engines_of
from batchscribe.work.confinement import begin_to_tell
from batchscribe.work.records import Records
from batchscribe.work.requested import SERVER_LANE
from batchscribe.work.worker import Worker

REQUESTS_SEC = 5  #: that open requests get to finish
BACKLOG = 2048
TICK_SEC = 0.5  #: between two looks whether to end


def run_server(settings: Settings, *, with_worker: bool) -> int:
    """The exit status. Raises `InvalidSetting`, `DataDirectoryBusy`."""
    _check_auth(settings)
    # The first signal is uvicorn's to act on, which passes it on when it is done.
    with _listening(settings) as listener, ending(settings.grace_sec + END_SEC):
        if with_worker:
            with opened_alone(settings) as records:
                return _work_and_serve(records, settings, listener)
        records = opened(settings)
        if not settings.is_fleet:
            records.flow.prepare()
        _serve(records, settings, listener, until=threading.Event())
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


def _work_and_serve(records: Records, settings: Settings, listener: socket.socket) -> int:
    worker = Worker(records, settings)
    engines = engines_of(settings) if settings.is_fleet else ENGINE_NAMES
    worker.start(lanes=[SERVER_LANE], engines=engines, home=home_of(settings))
    begin_to_tell(settings)
    try:
        _serve(records, settings, listener, until=worker.outdated)
        if not worker.drain(settings.grace_sec):
            typer.echo("The grace time is over: unfinished files are done by the next process.", err=True)
    finally:
        worker.stop()
    if worker.outdated.is_set():
        typer.echo(OUTDATED, err=True)
        return EXIT_OUTDATED
    return 0


def _serve(records: Records, settings: Settings, listener: socket.socket, *, until: threading.Event) -> None:
    _tell_no_keys(records, settings)
    config = uvicorn.Config(
        create_app(records, settings),
        log_config=None,  # as of all libraries: see `configure_log`
        access_log=False,  # the front door logs each request, without its query
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=REQUESTS_SEC,
    )
    Server(config, until).run(sockets=[listener])


def _tell_no_keys(records: Records, settings: Settings) -> None:
    if settings.auth == "off":
        return
    with records.transaction() as connection:
        has_key = any(key.revoked_at is None for key in list_keys(connection))
    if not has_key:
        hint = "There is no API key yet, so nobody is let in: batchscribe keys create --tenant NAME"
        typer.echo(hint, err=True)


class Server(uvicorn.Server):
    """Says where it is as soon as it answers there; ends when asked to, or when `until` is set."""

    def __init__(self, config: uvicorn.Config, until: threading.Event) -> None:
        super().__init__(config)
        self._until = until

    async def main_loop(self) -> None:
        """As uvicorn's, which ticks ten times a second, and renews the `Date` of answers at every tenth tick."""
        while not await self.on_tick(0):
            await asyncio.sleep(TICK_SEC)

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._until.is_set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            typer.echo(f"batchscribe is ready on http://{f'[{host}]' if ':' in host else host}:{port}")
