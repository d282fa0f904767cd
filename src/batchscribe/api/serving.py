"""An HTTP server that enforces the limits of its connections."""

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

REQUESTS_SEC = 5  #: for open requests to finish
BACKLOG = 2048
TICK_SEC = 0.5  #: between two checks of the time limits and of `must_end`


class Server(uvicorn.Server):
    """A server that runs until `must_end` returns True. It does not handle signals."""

    def __init__(self, app: ASGIApp, limits: ConnectionLimits, must_end: Callable[[], bool]) -> None:
        self._connections = Connections(limits)
        super().__init__(BoundedConfig(app, self._connections, timeout_graceful_shutdown=REQUESTS_SEC))
        self._must_end = must_end
        self._not_accepted = Tally()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: uvicorn would pass on a signal only after its last request, and delay the grace time."""
        yield

    async def main_loop(self) -> None:
        """Tick every `TICK_SEC`. uvicorn ticks ten times a second and renews the `Date` header at every tenth tick."""
        while not await self.on_tick(0):
            await asyncio.sleep(TICK_SEC)

    async def on_tick(self, counter: int) -> bool:
        self._connections.end_overdue()
        return await super().on_tick(counter) or self._must_end()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._note)
        await super().startup(sockets)
        for listener in sockets or ():
            # asyncio uses one number for the system's backlog and for the connections that it accepts in one go. To
            # accept a whole backlog would use up the descriptors before the first connection is processed.
            listener.listen(BACKLOG)

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log errors of `accept` rarely: asyncio would log a line for each, thousands a second."""
        if isinstance(context.get("exception"), OSError) and "socket" in context and "accept" in context["message"]:
            if times := self._not_accepted.due():
                log.warning("connections.not_accepted", times=times, error=str(context["exception"]))
        else:
            loop.default_exception_handler(context)
