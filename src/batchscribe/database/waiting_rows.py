"""Queries on jobs' credentials: the current version, and what waits for a newer one."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from batchscribe.database.queue_positions import LIVE_STATES
from batchscribe.database.tables import job, waiting

LISTING = 0  #: the shard number that stands for the listing


@dataclass(frozen=True, slots=True)
class CredentialsState:
    """The state of a job's credentials, without the credentials themselves."""

    version: int  #: how many times the job got fresh ones
    accepted: bool  #: whether the storage accepted any version
    given_up: int  #: the version that expired without fresh ones in time
    job_is_live: bool

    @property
    def may_be_waited_for(self) -> bool:
        return self.version > self.given_up


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """A shard, or the listing, that resumes when the job gets fresh credentials. `number` is never reused."""

    number: int
    shard: int


_FACTS = (job.c.credentials_version, job.c.credentials_accepted, job.c.credentials_given_up, job.c.state)
# Built once, because it runs for every file.
_VERSION = sa.select(job.c.credentials_version).where(job.c.number == sa.bindparam("of_job"))


def credentials_version(connection: sa.Connection, job_number: int) -> int:
    return connection.scalar(_VERSION, {"of_job": job_number}) or 0


def credentials_of(connection: sa.Connection, job_number: int) -> CredentialsState:
    return _credentials(connection.execute(sa.select(*_FACTS).where(job.c.number == job_number)).one())


def hold_credentials(connection: sa.Connection, job_number: int) -> CredentialsState:
    """Lock the state until the transaction ends. Only for credentials that the storage has accepted."""
    of_job = sa.update(job).where(job.c.number == job_number).values(credentials_accepted=True)
    return _credentials(connection.execute(of_job.returning(*_FACTS)).one())


def _credentials(row: sa.Row[int, bool, int, str]) -> CredentialsState:
    return CredentialsState(
        version=row.credentials_version,
        accepted=row.credentials_accepted,
        given_up=row.credentials_given_up,
        job_is_live=row.state in LIVE_STATES,
    )


def accept_credentials(connection: sa.Connection, job_number: int) -> None:
    """Record that the storage accepted the job's credentials."""
    of_job = sa.update(job).where(job.c.number == job_number, job.c.credentials_accepted.is_(False))
    connection.execute(of_job.values(credentials_accepted=True))


def next_version(connection: sa.Connection, job_number: int) -> int | None:
    """Count fresh credentials and return their version; None if the job has ended.

    Until the transaction ends, the job cannot end, and nothing can begin to wait.
    """
    live = sa.update(job).where(job.c.number == job_number, job.c.state.in_(LIVE_STATES))
    counted = live.values(credentials_version=job.c.credentials_version + 1).returning(job.c.credentials_version)
    version: int | None = connection.scalar(counted)
    return version


def give_up(connection: sa.Connection, job_number: int, version: int) -> bool:
    """Stop waiting, so that the files fail; return False if there are newer credentials or the job has ended."""
    waited_for = sa.update(job).where(
        job.c.number == job_number, job.c.credentials_version == version, job.c.state.in_(LIVE_STATES)
    )
    return connection.execute(waited_for.values(credentials_given_up=version)).rowcount == 1


def insert_waiting(connection: sa.Connection, job_number: int, shard: int, version: int) -> bool:
    """Insert a row; return whether it is the first of its job."""
    is_first = connection.scalar(sa.select(sa.exists().where(waiting.c.job == job_number))) is False
    connection.execute(sa.insert(waiting).values(job=job_number, shard=shard, version=version))
    return is_first


def delete_waiting(connection: sa.Connection, job_number: int, shard: int | None = None) -> None:
    """Delete the row of one shard, or all of the job."""
    of_job = sa.delete(waiting).where(waiting.c.job == job_number)
    connection.execute(of_job if shard is None else of_job.where(waiting.c.shard == shard))


def take_waiting(connection: sa.Connection, job_number: int, *, limit: int) -> list[WaitingTask]:
    """Delete and return up to `limit` rows that need not wait any longer."""
    may_go_on = sa.or_(
        waiting.c.version < sa.select(job.c.credentials_version).where(job.c.number == job_number).scalar_subquery(),
        waiting.c.version <= sa.select(job.c.credentials_given_up).where(job.c.number == job_number).scalar_subquery(),
    )
    found = sa.select(waiting.c.number).where(waiting.c.job == job_number, may_go_on).order_by(waiting.c.number)
    taken = sa.delete(waiting).where(waiting.c.number.in_(found.limit(limit)))
    rows = connection.execute(taken.returning(waiting.c.number, waiting.c.shard))
    return sorted((WaitingTask(row.number, row.shard) for row in rows), key=lambda each: each.number)
