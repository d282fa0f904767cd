"""Requests that wait for storage: threads of their own, few per tenant, and an answer in time.

Such a request may wait as long as a storage that a tenant named likes. In the threads of all requests, 45 of them kept
another tenant waiting for 59 s.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from batchscribe.errors import StorageUnreachable, TooManyRequests

Answer = TypeVar("Answer")

PER_TENANT = 4  #: at once; a person or a script looks at one or two
IN_ALL = 32  #: at once, in one server process
RETRY_AFTER_SEC = 2


class SlowRequests:
    """Used from the event loop. A request keeps its place until its thread has ended, whoever still waits for it."""

    def __init__(self, *, per_tenant: int = PER_TENANT, in_all: int = IN_ALL) -> None:
        self._per_tenant = per_tenant
        self._in_all = in_all
        self._running: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(in_all, thread_name_prefix="slow-request")

    async def answer(self, tenant: str, limit_sec: float, work: Callable[[], Answer]) -> Answer:
        """What `work` returns or raises. Raises `TooManyRequests`, and `StorageUnreachable` after `limit_sec`."""
        self._check_places(tenant)
        context = contextvars.copy_context()  # log lines of the thread say which request it is
        future = asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)
        self._running[tenant] += 1
        future.add_done_callback(lambda done: self._leave(tenant, done))
        await asyncio.wait([future], timeout=limit_sec)
        if not future.done():
            raise StorageUnreachable(f"The storage did not answer within {limit_sec:g} s; try again later.")
        return future.result()

    def _check_places(self, tenant: str) -> None:
        if self._running[tenant] >= self._per_tenant:
            raise _refused(f"{self._per_tenant} dry runs of this tenant are under way")
        if self._running.total() >= self._in_all:
            raise _refused(f"{self._in_all} dry runs are under way")

    def _leave(self, tenant: str, done: asyncio.Future[Answer]) -> None:
        self._running[tenant] -= 1
        if not self._running[tenant]:
            del self._running[tenant]
        if not done.cancelled():
            done.exception()  # asyncio would log one that nobody waits for any more


def _refused(why: str) -> TooManyRequests:
    return TooManyRequests(f"{why}; try again in {RETRY_AFTER_SEC} s.", retry_after_sec=RETRY_AFTER_SEC)
