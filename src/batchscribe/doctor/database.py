"""The database: whether it answers, what is in it, and what it knows of the other processes."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from batchscribe.database.inspection import (
    connections_of_server,
    latency_sec,
    open_to_look,
    server_version,
)
from batchscribe.database.trouble import cause_of
from batchscribe.doctor.check import Check, Verdict, failed, ok, skipped, warning
from batchscribe.doctor.clock import check_clock
from batchscribe.doctor.key import check_key, check_key_alone
from batchscribe.doctor.schema import check_version
from batchscribe.doctor.workers import check_workers
from batchscribe.settings import Settings

NAME = "database"
SLOW_SEC = 0.05  #: for the simplest query: work commits once a file
CROWDED = 0.8  #: of the connections that a server takes


def check_all_of_database(settings: Settings) -> Iterator[Check]:
    """The database, then what can only be asked there."""
    try:
        engine = open_to_look(settings.sqlalchemy_url)
        with engine.connect() as connection:
            yield check_database(connection)
            yield from _inside(connection, settings)
    except FileNotFoundError as error:
        yield ok(NAME, f"There is none at {error.args[0]} yet; the first use makes it.")
        yield check_key_alone(settings)
    except sa.exc.ArgumentError:
        yield failed(
            NAME,
            "Its URL is none that SQLAlchemy understands.",
            "Write it as postgresql://USER:PASSWORD@HOST:5432/NAME.",
        )
        yield from _not_asked(settings)
    except sa.exc.DBAPIError as error:
        yield failed(NAME, f"It cannot be used: {_in_one_line(error)}", _advice(settings))
        yield from _not_asked(settings)


def check_database(connection: sa.Connection) -> Check:
    took_sec = latency_sec(connection)
    found = f"{server_version(connection)} answers in {1000 * took_sec:.1f} ms."
    connections = connections_of_server(connection)
    if connections is not None:
        found = f"{found} {connections.in_use} of {connections.most} connections are in use."
        if connections.in_use > CROWDED * connections.most:
            return warning(NAME, found, "Raise max_connections of PostgreSQL: each process may use 43.")
    if took_sec > SLOW_SEC:
        return warning(NAME, found, "Have the workers nearer to the database: each file takes several transactions.")
    return ok(NAME, found)


def _inside(connection: sa.Connection, settings: Settings) -> Iterator[Check]:
    yield check_clock(connection)
    schema = check_version(connection, settings)
    yield schema
    if schema.verdict is Verdict.OK:
        yield check_key(connection, settings)
        yield check_workers(connection, settings)
    else:
        yield check_key_alone(settings)
        yield skipped("workers", "The schema has to be right first.")


def _not_asked(settings: Settings) -> Iterator[Check]:
    for name in ("clock", "schema", "workers"):
        yield skipped(name, "The database has to answer first.")
    yield check_key_alone(settings)


def _advice(settings: Settings) -> str:
    if settings.is_fleet:
        return "See that PostgreSQL runs, lets this machine and user in, and is what BATCHSCRIBE_DATABASE_URL names."
    return "See that the file and its folder belong to this user, or name others with BATCHSCRIBE_DATA_DIR."


def _in_one_line(error: sa.exc.DBAPIError) -> str:
    """Drivers never say the password."""
    return " ".join(cause_of(error).split())
