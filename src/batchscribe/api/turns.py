"""Turns at the threads of all requests: a tenant who sends many requests at once waits for itself, and nobody for it.

Python runs one thread at a time. Beside twenty threads that each read a manifest of a thousand URIs, another tenant's
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

PER_TENANT = 2  #: requests of one tenant at once
BODIES = 2  #: requests at once, of all tenants together, whose bodies are looked at
BODIES_OF_TENANT = 16  #: bodies of the largest size that one tenant may have in memory; of small ones any number
RETRY_AFTER_SEC = 2


class Turns:
    """Used from the event loop. Whoever waits gets the next turn of its tenant in the order of arrival."""

    def __init__(self) -> None:
        self._tenants: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_TENANT))
        self._bodies = asyncio.Semaphore(BODIES)

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        async with self._tenants[tenant]:
            yield

    async def look_at_body(self, tenant: str, work: Callable[[], Answer]) -> Answer:
        """What `work`, which looks at a body that has arrived, returns or raises."""
        async with self._tenants[tenant], self._bodies:
            return await run_in_threadpool(work)


class BodyRoom:
    """Memory for bodies that arrive or wait for their turn. Used from the event loop."""

    def __init__(self, limit_bytes: int) -> None:
        """`limit_bytes` is for one tenant."""
        self._limit_bytes = limit_bytes
        self._taken: Counter[str] = Counter()

    @contextmanager
    def of(self, tenant: str) -> Iterator[Callable[[int], None]]:
        """A function that takes room for so many bytes more, until the end; it raises `TooManyRequests`."""
        taken = 0

        def take(n_bytes: int) -> None:
            nonlocal taken
            if self._taken[tenant] + n_bytes > self._limit_bytes:
                raise TooManyRequests(
                    f"{self._taken[tenant]} bytes of request bodies of this tenant are under way; try again in "
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
