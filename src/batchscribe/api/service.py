"""Objects that the routes share: records, settings, rate limits, and threads for slow requests.

Requests that wait for storage run in their own threads, with a limit per tenant and a time limit. The storage that a
tenant names may be arbitrarily slow: in the shared threads, 45 such requests delayed another tenant by 59 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import math
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from batchscribe.api.turns import BODIES_OF_TENANT, BodyRoom, Turns
from batchscribe.errors import InvalidSetting, StorageUnreachable, TooManyRequests
from batchscribe.queue.records import Records
from batchscribe.settings import Settings
from batchscribe.wire.base import RequestLimits
from batchscribe.worker.machine_health import MachineHealth

Answer = TypeVar("Answer")

PER_TENANT = 4  #: concurrent requests; a person or a script needs one or two
IN_ALL = 32  #: concurrent requests in one server process
RETRY_AFTER_SEC = 2


class SlowRequests:
    """Threads for slow requests; used from the event loop.

    A request keeps its place until its thread ends, even if its client already has an error response.
    """

    def __init__(
        self, *, per_tenant: int = PER_TENANT, in_all: int = IN_ALL, what: str = "dry runs", wait_sec: float = 0.0
    ) -> None:
        """`what` names the requests in messages. `wait_sec` is how long a request waits for a place."""
        self._per_tenant = per_tenant
        self._in_all = in_all
        self._what = what
        self._wait_sec = wait_sec
        self._left = asyncio.Event()  #: set when a request leaves its place, and then replaced
        self._running: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(in_all, thread_name_prefix="slow-request")

    async def answer(self, tenant: str, limit_sec: float, work: Callable[[], Answer]) -> Answer:
        """Run `work` in a thread and return its result.

        Raises what `work` raises, `TooManyRequests`, and `StorageUnreachable` after `limit_sec`.
        """
        await self._wait_for_place(tenant)
        context = contextvars.copy_context()  # the thread's log lines identify the request
        future = asyncio.get_running_loop().run_in_executor(self._threads, context.run, work)
        self._running[tenant] += 1
        future.add_done_callback(lambda done: self._leave(tenant, done))
        await asyncio.wait([future], timeout=limit_sec)
        if not future.done():
            raise StorageUnreachable(f"The storage did not answer within {limit_sec:g} s; try again later.")
        return future.result()

    async def _wait_for_place(self, tenant: str) -> None:
        deadline = time.monotonic() + self._wait_sec
        while (full := self._fullness(tenant)) is not None:
            left_sec = deadline - time.monotonic()
            if left_sec <= 0:
                raise _refusal(full)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), left_sec)

    def _fullness(self, tenant: str) -> str | None:
        """Return why there is no place; None if there is one."""
        if self._running[tenant] >= self._per_tenant:
            return f"{self._per_tenant} {self._what} of this tenant are in progress"
        if self._running.total() >= self._in_all:
            return f"{self._in_all} {self._what} are in progress"
        return None

    def _leave(self, tenant: str, done: asyncio.Future[Answer]) -> None:
        self._left.set()
        self._left = asyncio.Event()
        self._running[tenant] -= 1
        if not self._running[tenant]:
            del self._running[tenant]
        if not done.cancelled():
            done.exception()  # otherwise asyncio logs that the exception was never retrieved


def _refusal(why: str) -> TooManyRequests:
    return TooManyRequests(f"{why}; try again in {RETRY_AFTER_SEC} s.", retry_after_sec=RETRY_AFTER_SEC)


class MovingWindow:
    """A limit on the events of each key in a moving window of time. Thread-safe."""

    def __init__(self, rate: str) -> None:
        """Parse `rate`, such as `30/second`. Raises `ValueError`."""
        from limits import parse
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._item = parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    @property
    def most(self) -> int:
        return self._item.amount

    @property
    def length_sec(self) -> int:
        return self._item.get_expiry()

    def admit(self, key: str) -> bool:
        """Count an event. Returns False if the window is full; then it does not count."""
        return self._limiter.hit(self._item, key)

    def wait_sec(self, key: str) -> float:
        """Return the seconds until the window has room again."""
        return self._limiter.get_window_stats(self._item, key).reset_time - time.time()


class RateLimit:
    """A moving window for each tenant. Without a setting there is no limit. Thread-safe."""

    def __init__(self, setting: str | None) -> None:
        """Parse `setting`, such as `30/second`. Raises `InvalidSetting`."""
        self._window = None if setting is None else _open_window(setting)

    def check(self, tenant: str) -> None:
        """Count a request. Raises `TooManyRequests`."""
        window = self._window
        if window is None or window.admit(tenant):
            return
        wait_sec = max(1, math.ceil(window.wait_sec(tenant)))
        raise TooManyRequests(
            f"More than {window.most} requests in {window.length_sec} s; try again in {wait_sec} s.",
            retry_after_sec=wait_sec,
        )


def _open_window(setting: str) -> MovingWindow:
    try:
        return MovingWindow(setting)
    except ValueError as error:
        sentence = f"BATCHSCRIBE_RATE_LIMIT: {setting!r} is not a rate; write it as 30/second or 1000/minute."
        raise InvalidSetting(sentence) from error


@dataclass(frozen=True, slots=True)
class Service:
    """The records, settings and limits of one server process."""

    records: Records
    settings: Settings
    rate_limit: RateLimit
    limits: RequestLimits
    slow_requests: SlowRequests
    turns: Turns
    body_room: BodyRoom
    health: MachineHealth | None = None  #: of the worker in this process

    @classmethod
    def of(cls, records: Records, settings: Settings, *, health: MachineHealth | None = None) -> Service:
        """Create the service from the settings. Raises `InvalidSetting`."""
        limits = RequestLimits(
            manifest=settings.max_manifest,
            globs=settings.max_globs,
            reference_chars=settings.max_reference_chars,
            plain_webhooks=settings.webhook_allow_http,
        )
        return cls(
            records,
            settings,
            rate_limit=RateLimit(settings.rate_limit),
            limits=limits,
            slow_requests=SlowRequests(),
            turns=Turns(),
            body_room=BodyRoom(BODIES_OF_TENANT * settings.max_body_bytes),
            health=health,
        )
