"""The open connections of a server: how many there may be, and which of them wait for their client, until when.

A connection that waits for its client may be closed at any time to make room for another. So strangers who open
connections and say nothing cannot take the server from anybody, and no limit per address is needed, which would hit all
users behind a proxy.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from typing import Protocol

import structlog

from batchscribe.metrics import CLOSED_CONNECTIONS
from batchscribe.settings import Settings

log = structlog.get_logger()

MOST = 4096  #: connections; one that waits takes some 20 KB
SHARE = 2  #: one in so many descriptors is for connections, the others for the database, storage and children
MOST_DESCRIPTORS = 65_536  #: that a process asks for, where it could have a billion
QUIET_SEC = 60.0  #: between two log lines about the same


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds that a connection may wait for its client, and how many connections there may be."""

    connections: int
    head_sec: float
    body_sec: float
    idle_sec: float

    @classmethod
    def of(cls, settings: Settings) -> ConnectionLimits:
        return cls(
            connections=settings.max_connections or _default_connections(),
            head_sec=settings.request_head_sec,
            body_sec=settings.request_body_sec,
            idle_sec=settings.keep_alive_sec,
        )


class IdleConnection(Protocol):
    """A connection, as far as it is told what to do."""

    def end_waiting(self, *, for_room: bool) -> None:
        """Its time is over, or another one needs its place."""
        ...


class Connections:
    """Used from the event loop. `CLOSED_CONNECTIONS` counts what is closed here, and a log line now and then tells."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: set[IdleConnection] = set()
        self._deadlines: dict[IdleConnection, float] = {}  #: of those that wait, the longest waiting first
        self._full = Tally()

    def admit(self, connection: IdleConnection) -> bool:
        """Whether there is room for it, if need be that of the one that has waited longest for its client."""
        if len(self._open) >= self.limits.connections:
            if times := self._full.due():
                log.warning("connections.full", times=times, limit=self.limits.connections)
            self._make_room()
        if len(self._open) >= self.limits.connections:
            CLOSED_CONNECTIONS.labels("refused").inc()
            return False
        self._open.add(connection)
        return True

    def _make_room(self) -> None:
        longest = next(iter(self._deadlines), None)
        if longest is not None:
            CLOSED_CONNECTIONS.labels("for_room").inc()
            self.forget(longest)
            longest.end_waiting(for_room=True)

    def wait(self, connection: IdleConnection, limit_sec: float) -> None:
        """It waits for its client from now on, as the last in line."""
        self.go_on(connection)
        if connection in self._open:
            self._deadlines[connection] = time.monotonic() + limit_sec

    def go_on(self, connection: IdleConnection) -> None:
        """It waits for its client no more."""
        self._deadlines.pop(connection, None)

    def forget(self, connection: IdleConnection) -> None:
        self.go_on(connection)
        self._open.discard(connection)

    def end_overdue(self) -> None:
        """To be called now and then."""
        now = time.monotonic()
        for connection, deadline in list(self._deadlines.items()):
            if deadline <= now:
                self.go_on(connection)
                connection.end_waiting(for_room=False)


class Tally:
    """Counts what may happen thousands of times a second and is logged once a minute."""

    def __init__(self) -> None:
        self._times = 0
        self._next_at = 0.0

    def due(self) -> int:
        """Count once more; how often it has happened since the last line when another one is due, else 0."""
        self._times += 1
        if time.monotonic() < self._next_at:
            return 0
        times, self._times = self._times, 0
        self._next_at = time.monotonic() + QUIET_SEC
        return times


def raise_open_files() -> None:
    """As many descriptors as the system lets this process have: the usual 1,024 are for programs that use `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _default_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, soft // SHARE)
