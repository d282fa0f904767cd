"""The open connections of a server: their maximum number, and the deadlines of those that wait for their clients.

A connection that waits for its client may be closed at any time to make room for another. So unknown clients that open
connections and send nothing cannot block the server. A limit per address is not needed; it would affect all users
behind a proxy.
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

MOST = 4096  #: connections; a waiting one takes about 20 KB
SHARE = 2  #: one in this many descriptors is for connections; the rest is for the database, storage and child processes
MOST_DESCRIPTORS = 65_536  #: for one process, even if the system allows a billion
QUIET_SEC = 60.0  #: between two log lines about the same event


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The maximum number of connections, and how long one may wait for its client."""

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
    """The part of a connection that `Connections` uses."""

    def end_waiting(self, *, for_room: bool) -> None:
        """End the wait: the time limit is over, or another connection needs the place (`for_room`)."""
        ...


class Connections:
    """The open connections; used from the event loop. `CLOSED_CONNECTIONS` counts those that are closed here."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: set[IdleConnection] = set()
        self._deadlines: dict[IdleConnection, float] = {}  #: of waiting connections, the longest wait first
        self._full = Tally()

    def admit(self, connection: IdleConnection) -> bool:
        """Return whether there is room for it. If necessary, close the one that has waited longest for its client."""
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
        """Record that the connection starts to wait for its client."""
        self.go_on(connection)
        if connection in self._open:
            self._deadlines[connection] = time.monotonic() + limit_sec

    def go_on(self, connection: IdleConnection) -> None:
        """Record that the connection no longer waits for its client."""
        self._deadlines.pop(connection, None)

    def forget(self, connection: IdleConnection) -> None:
        self.go_on(connection)
        self._open.discard(connection)

    def end_overdue(self) -> None:
        """End the waits whose time limit is over. Call this regularly."""
        now = time.monotonic()
        for connection, deadline in list(self._deadlines.items()):
            if deadline <= now:
                self.go_on(connection)
                connection.end_waiting(for_room=False)


class Tally:
    """A counter of events that may happen thousands of times a second and are logged once a minute."""

    def __init__(self) -> None:
        self._times = 0
        self._next_at = 0.0

    def due(self) -> int:
        """Count an event. If a log line is due, return the number of events since the last one, else 0."""
        self._times += 1
        if time.monotonic() < self._next_at:
            return 0
        times, self._times = self._times, 0
        self._next_at = time.monotonic() + QUIET_SEC
        return times


def raise_open_files() -> None:
    """Raise the descriptor limit as far as the system allows: the usual 1,024 is for programs that use `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _default_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, soft // SHARE)
