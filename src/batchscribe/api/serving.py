"""A server: takes connections until it is told to end, and keeps them within their limits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from batchscribe.api.connections import ConnectionLimits, Connections, Tally
from batchscribe.api.protocol import BoundedConfig

log = structlog.get_logger()

REQUESTS_SEC = 5  #: that open requests get to finish
BACKLOG = 2048
TICK_SEC = 0.5  #: between two looks at the clock, and whether to end


class Server(uvicorn.Server):
    """Runs until `must_end`. It leaves signals to its process."""

    def __init__(self, app: ASGIApp, limits: ConnectionLimits, must_end: Callable[[], bool]) -> None:
        self._connections = Connections(limits)
        super().__init__(BoundedConfig(app, self._connections, timeout_graceful_shutdown=REQUESTS_SEC))
        self._must_end = must_end
        self._not_accepted = Tally()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would take a signal and pass it on only after its last request, so the grace time began late."""
        yield

    async def main_loop(self) -> None:
        """As uvicorn's, which ticks ten times a second, and renews the `Date` of answers at every tenth tick."""
        while not await self.on_tick(0):
            await asyncio.sleep(TICK_SEC)

    async def on_tick(self, counter: int) -> bool:
        self._connections.end_overdue()
        return await super().on_tick(counter) or self._must_end()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._note)
        await super().startup(sockets)
        for listener in sockets or ():
            # asyncio takes one number for how many wait in the system and how many it accepts in one go. So many at
            # once would use up the descriptors before the first of them is looked at.
            listener.listen(BACKLOG)

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """asyncio has one line for each connection that it cannot accept, thousands a second."""
        if isinstance(context.get("exception"), OSError) and "socket" in context and "accept" in context["message"]:
            if times := self._not_accepted.due():
                log.warning("connections.not_accepted", times=times, error=str(context["exception"]))
        else:
            loop.default_exception_handler(context)
