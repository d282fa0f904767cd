"""The connections to one server, blocking and asynchronous. They carry out steps; only this module sends requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict, TypeVar

import httpx2

from batchscribe import __version__
from batchscribe.client.attempts import Call, Outcome, Pause, Steps
from batchscribe.client.key import BearerAuth, Key

T = TypeVar("T")


class _Options(TypedDict):
    auth: BearerAuth | None
    timeout: float
    headers: dict[str, str]


def _options(key: Key | None, timeout_sec: float) -> _Options:
    return {
        "auth": BearerAuth(key) if key else None,
        "timeout": timeout_sec,
        "headers": {"User-Agent": f"batchscribe/{__version__}"},
    }


def _arguments(call: Call) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": call.url,
        "params": call.query,
        "headers": call.headers,
        "content": call.content,
    }


class Connection:
    """Keeps its sockets open between requests."""

    def __init__(self, key: Key | None, *, timeout_sec: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._http = httpx2.Client(**_options(key, timeout_sec))

    def close(self) -> None:
        self._http.close()

    def carry_out(self, steps: Steps[T]) -> T:
        """Carry out the steps one after another and return their result. Raises what they raise."""
        outcome: Outcome | None = None
        try:
            while True:
                step = steps.send(outcome)
                outcome = self._perform(step)
        except StopIteration as end:
            result: T = end.value
            return result

    def _perform(self, step: Call | Pause) -> Outcome | None:
        if isinstance(step, Pause):
            self._sleep(step.sec)
            return None
        try:
            return self._http.request(**_arguments(step))
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return error


class AsyncConnection:
    """Keeps its sockets open between requests, in one event loop of asyncio."""

    def __init__(
        self, key: Key | None, *, timeout_sec: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._sleep = sleep
        self._http = httpx2.AsyncClient(**_options(key, timeout_sec))

    async def close(self) -> None:
        await self._http.aclose()

    async def carry_out(self, steps: Steps[T]) -> T:
        """Carry out the steps one after another and return their result. Raises what they raise."""
        outcome: Outcome | None = None
        try:
            while True:
                step = steps.send(outcome)
                outcome = await self._perform(step)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _perform(self, step: Call | Pause) -> Outcome | None:
        if isinstance(step, Pause):
            await self._sleep(step.sec)
            return None
        try:
            return await self._http.request(**_arguments(step))
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return error
