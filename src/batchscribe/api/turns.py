"""Turns at the shared threads: a tenant that sends many requests at once does not delay other tenants.

Python runs one thread at a time. Beside twenty threads that each parsed a manifest of a thousand URIs, another tenant's
GET took 0.7 s.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from batchscribe.errors import TooManyRequests

Answer = TypeVar("Answer")

PER_TENANT = 2  #: concurrent requests of one tenant
BODIES = 2  #: concurrent requests of all tenants whose bodies are processed
BODIES_OF_TENANT = 16  #: bodies of the maximum size that one tenant may have in memory, or more smaller ones
RETRY_AFTER_SEC = 2


class Turns:
    """The turns of all tenants; used from the event loop. A tenant's requests get turns in the order of arrival."""

    def __init__(self) -> None:
        self._tenants: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_TENANT))
        self._bodies = asyncio.Semaphore(BODIES)

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        async with self._tenants[tenant]:
            yield

    async def look_at_body(self, tenant: str, work: Callable[[], Answer]) -> Answer:
        """Run `work`, which processes a complete body, in a thread. Returns and raises what `work` does."""
        async with self._tenants[tenant], self._bodies:
            return await run_in_threadpool(work)


class BodyRoom:
    """Memory for bodies that are arriving or waiting for their turn; used from the event loop."""

    def __init__(self, limit_bytes: int) -> None:
        """Limit each tenant to `limit_bytes`."""
        self._limit_bytes = limit_bytes
        self._taken: Counter[str] = Counter()

    @contextmanager
    def of(self, tenant: str) -> Iterator[Callable[[int], None]]:
        """Yield a function that reserves more bytes until the end of the block. It raises `TooManyRequests`."""
        taken = 0

        def take(n_bytes: int) -> None:
            nonlocal taken
            if self._taken[tenant] + n_bytes > self._limit_bytes:
                raise TooManyRequests(
                    f"Other requests of this tenant are sending {self._taken[tenant]} bytes; try again in "
                    f"{RETRY_AFTER_SEC} s.",
                    retry_after_sec=RETRY_AFTER_SEC,
                )
            self._taken[tenant] += n_bytes
            taken += n_bytes

        try:
            yield take
        finally:
            self._taken[tenant] -= taken
            if not self._taken[tenant]:
                del self._taken[tenant]
