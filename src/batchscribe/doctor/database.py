"""Checks of the database: its latency and connections, and everything that is stored in it."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from batchscribe.database.inspection import (
    connections_of_server,
    measure_latency,
    open_read_only,
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
SLOW_SEC = 0.05  #: for a trivial query; each file takes several transactions
CROWDED = 0.8  #: share of the server's connections


def check_all_of_database(settings: Settings) -> Iterator[Check]:
    """Check the database, then what is stored in it."""
    try:
        engine = open_read_only(settings.sqlalchemy_url)
        with engine.connect() as connection:
            yield check_database(connection)
            yield from _inside(connection, settings)
    except FileNotFoundError as error:
        yield ok(NAME, f"There is no database at {error.args[0]} yet; the first use creates it.")
        yield check_key_alone(settings)
    except sa.exc.ArgumentError:
        yield failed(
            NAME,
            "SQLAlchemy cannot parse the database URL.",
            "Write it as postgresql://USER:PASSWORD@HOST:5432/NAME.",
        )
        yield from _skip_contents(settings)
    except sa.exc.DBAPIError as error:
        yield failed(NAME, f"The database cannot be used: {_one_line(error)}", _advice(settings))
        yield from _skip_contents(settings)


def check_database(connection: sa.Connection) -> Check:
    took_sec = measure_latency(connection)
    found = f"{server_version(connection)} answers in {1000 * took_sec:.1f} ms."
    connections = connections_of_server(connection)
    if connections is not None:
        found = f"{found} {connections.in_use} of {connections.most} connections are in use."
        if connections.in_use > CROWDED * connections.most:
            return warning(NAME, found, "Raise PostgreSQL's max_connections: each process may use 43.")
    if took_sec > SLOW_SEC:
        return warning(NAME, found, "Run the workers closer to the database: each file takes several transactions.")
    return ok(NAME, found)


def _inside(connection: sa.Connection, settings: Settings) -> Iterator[Check]:
    """Check what is stored in the database."""
    yield check_clock(connection)
    schema = check_version(connection, settings)
    yield schema
    if schema.verdict is Verdict.OK:
        yield check_key(connection, settings)
        yield check_workers(connection, settings)
    else:
        yield check_key_alone(settings)
        yield skipped("workers", "Not checked, because the schema is not usable.")


def _skip_contents(settings: Settings) -> Iterator[Check]:
    for name in ("clock", "schema", "workers"):
        yield skipped(name, "Not checked, because the database does not answer.")
    yield check_key_alone(settings)


def _advice(settings: Settings) -> str:
    if settings.is_fleet:
        return "Check that PostgreSQL is running and accepts this machine and user; check BATCHSCRIBE_DATABASE_URL."
    return "Check that the file and its folder belong to this user, or set BATCHSCRIBE_DATA_DIR to another folder."


def _one_line(error: sa.exc.DBAPIError) -> str:
    """Return the driver's message, which never contains the password, in one line."""
    return " ".join(cause_of(error).split())
