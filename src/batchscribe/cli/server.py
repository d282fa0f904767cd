"""One server process: listens, works, and stops as it was asked to."""

from __future__ import annotations

import socket
import sys
import threading

import typer

from batchscribe.api.app import create_app
from batchscribe.api.connections import Limits, raise_open_files
from batchscribe.api.loopback import is_loopback
from batchscribe.api.serving import Server
from batchscribe.cli.ending import END_SEC, EXIT_MUST_END, ending
from batchscribe.cli.listening import listening, url_of
from batchscribe.cli.records import home_of, opened, opened_alone
from batchscribe.database.api_key import list_keys
from batchscribe.errors import InvalidSetting
from batchscribe.intake.submission import SERVER_LANE
from batchscribe.settings import Settings
from batchscribe.speech.registry import ENGINE_NAMES, engines_of
from batchscribe.work.confinement import begin_to_tell
from batchscribe.work.fitness import Fitness
from batchscribe.work.records import Records
from batchscribe.work.worker import Worker

#: Between two looks of Python's threads at who is to run: a request meets a dozen of them. With the usual 5 ms, a GET
#: beside submits and listings takes twice as long.
SWITCH_SEC = 0.001


def run_server(settings: Settings, *, with_worker: bool) -> int:
    """The exit status. Raises `InvalidSetting`, `DataDirectoryBusy`."""
    _check_auth(settings)
    raise_open_files()
    # The first signal is uvicorn's to act on, which passes it on when it is done.
    opened_port = listening(settings.host, settings.port, "listen", "--port")
    with opened_port as listener, ending(settings.grace_sec + END_SEC):
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


def _work_and_serve(records: Records, settings: Settings, listener: socket.socket) -> int:
    worker = Worker(records, settings)
    engines = engines_of(settings) if settings.is_fleet else ENGINE_NAMES
    worker.start(lanes=[SERVER_LANE], engines=engines, home=home_of(settings))
    begin_to_tell(settings)
    try:
        _serve(records, settings, listener, until=worker.must_end, fitness=worker.fitness)
        if not worker.drain(settings.grace_sec):
            typer.echo("The grace time is over: unfinished files are done by the next process.", err=True)
    finally:
        worker.stop()
    if worker.must_end.is_set():
        typer.echo(worker.why_end, err=True)
        return EXIT_MUST_END
    return 0


def _serve(
    records: Records,
    settings: Settings,
    listener: socket.socket,
    *,
    until: threading.Event,
    fitness: Fitness | None = None,
) -> None:
    _tell_no_keys(records, settings)
    sys.setswitchinterval(SWITCH_SEC)
    app = create_app(records, settings, fitness=fitness)
    AnnouncedServer(app, Limits.of(settings), until).run(sockets=[listener])


def _tell_no_keys(records: Records, settings: Settings) -> None:
    if settings.auth == "off":
        return
    with records.transaction() as connection:
        has_key = any(key.revoked_at is None for key in list_keys(connection))
    if not has_key:
        hint = "There is no API key yet, so nobody is let in: batchscribe keys create --tenant NAME"
        typer.echo(hint, err=True)


class AnnouncedServer(Server):
    """Says where it is as soon as it answers there."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            typer.echo(f"batchscribe is ready on {url_of(listener)}")
