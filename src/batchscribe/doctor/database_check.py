"""Checks of the database: connection, schema, clock, and what it knows of other processes."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.check import Check, CheckResult, ok, report_failure, report_skip, warning
from batchscribe.database.connect import Connection, DriverError, InvalidUrl, cause_of
from batchscribe.database.inspection import (
    connections_of_server,
    measure_clock_offset,
    measure_latency,
    open_read_only,
    server_version,
)
from batchscribe.database.schema import fits, is_newer, newest, version_of
from batchscribe.doctor.key_check import check_key, check_key_alone
from batchscribe.doctor.worker_check import check_workers
from batchscribe.settings import Settings

SCHEMA = "schema"


def check_version(connection: Connection, settings: Settings) -> Check:
    version = version_of(connection)
    if version == newest():
        return ok(SCHEMA, f"The schema is {version}, that of this release.")
    if fits(version):
        return ok(SCHEMA, f"The schema is {version}, of a newer release; this release can work with it.")
    found = "There is no batchscribe schema yet" if version is None else f"The schema is {version}"
    needed = f"{found}, and this release needs {newest()}."
    if is_newer(version):
        return report_failure(SCHEMA, needed, "Install the release of batchscribe that the other processes run.")
    if settings.is_fleet:
        return report_failure(SCHEMA, needed, "Run `batchscribe migrate` with the same database.")
    return warning(SCHEMA, needed, "The next command that uses the database upgrades it, or `batchscribe migrate`.")


CLOCK = "clock"
NOTICED_SEC = 2.0  #: ages in metrics and logs are wrong by as much
HARMFUL_SEC = 60.0  #: client tokens are rejected, and S3 and webhook receivers reject signatures
ADVICE = "Synchronize both machines' clocks with NTP: `timedatectl set-ntp true`."


def check_clock(connection: Connection) -> Check:
    return judge_clock(measure_clock_offset(connection))


def judge_clock(ahead_sec: float) -> Check:
    """Return the check for a database clock that is `ahead_sec` seconds ahead of this one."""
    if abs(ahead_sec) < NOTICED_SEC:
        return ok(CLOCK, "This machine's clock differs from the database's by less than 2 s.")
    found = f"The clock is {abs(ahead_sec):.0f} s {'behind' if ahead_sec > 0 else 'ahead of'} the database's."
    return (report_failure if abs(ahead_sec) >= HARMFUL_SEC else warning)(CLOCK, found, ADVICE)


NAME = "database"
SLOW_SEC = 0.05  #: for a trivial query; each file takes several transactions
CROWDED = 0.8  #: share of the server's connections


def check_all_of_database(settings: Settings) -> Iterator[Check]:
    """Check the database, then what is stored in it."""
    try:
        database = open_read_only(settings.effective_database_url)
        with database.connect() as connection:
            yield check_database(connection)
            yield from _inside(connection, settings)
    except FileNotFoundError as error:
        yield ok(NAME, f"There is no database at {error.args[0]} yet; the first use creates it.")
        yield check_key_alone(settings)
    except InvalidUrl:
        yield report_failure(
            NAME,
            "The database URL cannot be parsed.",
            "Write it as postgresql://USER:PASSWORD@HOST:5432/NAME.",
        )
        yield from _skip_contents(settings)
    except DriverError as error:
        yield report_failure(NAME, f"The database cannot be used: {_one_line(error)}", _advice(settings))
        yield from _skip_contents(settings)


def check_database(connection: Connection) -> Check:
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


def _inside(connection: Connection, settings: Settings) -> Iterator[Check]:
    """Check what is stored in the database."""
    yield check_clock(connection)
    schema = check_version(connection, settings)
    yield schema
    if schema.verdict is CheckResult.OK:
        yield check_key(connection, settings)
        yield check_workers(connection, settings)
    else:
        yield check_key_alone(settings)
        yield report_skip("workers", "Not checked, because the schema is not usable.")


def _skip_contents(settings: Settings) -> Iterator[Check]:
    for name in ("clock", "schema", "workers"):
        yield report_skip(name, "Not checked, because the database does not answer.")
    yield check_key_alone(settings)


def _advice(settings: Settings) -> str:
    if settings.is_fleet:
        return "Check that PostgreSQL is running and accepts this machine and user; check BATCHSCRIBE_DATABASE_URL."
    return "Check that the file and its folder belong to this user, or set BATCHSCRIBE_DATA_DIR to another folder."


def _one_line(error: DriverError) -> str:
    """Return the driver's message, which never contains the password, in one line."""
    return " ".join(cause_of(error).split())
