"""Requests that wait for storage: how many at once, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event

import pytest

from batchscribe.api.service import SlowRequests
from batchscribe.errors import ObjectNotFound, StorageUnavailable, TooManyRequests

LONG_SEC = 60.0


def test_it_answers_what_the_work_returns_or_raises() -> None:
    def fails() -> str:
        raise ObjectNotFound("gone")

    async def both() -> str:
        requests = SlowRequests()
        with pytest.raises(ObjectNotFound, match="gone"):
            await requests.answer("a", LONG_SEC, fails)
        return await requests.answer("a", LONG_SEC, lambda: "found")

    assert asyncio.run(both()) == "found"


def test_a_tenant_has_few_places_and_leaves_the_others_theirs() -> None:
    async def ask(requests: SlowRequests, wait: Callable[[], object]) -> str:
        hanging = [asyncio.create_task(requests.answer("a", LONG_SEC, wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests) as refused:
            await requests.answer("a", LONG_SEC, wait)
        assert refused.value.retry_after_sec > 0
        answer = await requests.answer("b", LONG_SEC, lambda: "b's")
        release.set()
        await asyncio.gather(*hanging)
        assert await requests.answer("a", LONG_SEC, lambda: "again") == "again"
        return answer

    release = Event()
    assert asyncio.run(ask(SlowRequests(per_tenant=2), release.wait)) == "b's"


def test_all_tenants_together_have_a_bounded_number_of_threads() -> None:
    async def ask(requests: SlowRequests) -> None:
        hanging = [asyncio.create_task(requests.answer(tenant, LONG_SEC, release.wait)) for tenant in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests):
            await requests.answer("c", LONG_SEC, release.wait)
        release.set()
        await asyncio.gather(*hanging)

    release = Event()
    asyncio.run(ask(SlowRequests(in_all=2)))


def test_a_request_is_answered_in_time_and_keeps_its_place_until_its_thread_ends() -> None:
    async def ask(requests: SlowRequests) -> None:
        with pytest.raises(StorageUnavailable, match="did not answer within"):
            await requests.answer("a", 0.05, release.wait)
        with pytest.raises(TooManyRequests):
            await requests.answer("a", 0.05, release.wait)
        release.set()
        while True:
            try:
                assert await requests.answer("a", LONG_SEC, lambda: "free") == "free"
            except TooManyRequests:
                await asyncio.sleep(0.01)
            else:
                return

    release = Event()
    asyncio.run(ask(SlowRequests(per_tenant=1)))


def test_a_request_is_refused_if_it_gets_no_place_in_time() -> None:
    async def ask(requests: SlowRequests) -> None:
        hanging = asyncio.create_task(requests.answer("a", LONG_SEC, release.wait))
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests, match="1 reads of this tenant are in progress"):
            await requests.answer("a", LONG_SEC, lambda: "too late")
        release.set()
        await hanging

    release = Event()
    asyncio.run(ask(SlowRequests(per_tenant=1, what="reads", wait_sec=0.3)))


def test_a_request_waits_for_a_place_if_it_may() -> None:
    async def ask(requests: SlowRequests) -> str:
        hanging = asyncio.create_task(requests.answer("a", LONG_SEC, release.wait))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(requests.answer("a", LONG_SEC, lambda: "in time"))
        await asyncio.sleep(0)
        release.set()
        await hanging
        return await waiting

    release = Event()
    assert asyncio.run(ask(SlowRequests(per_tenant=1, wait_sec=LONG_SEC))) == "in time"
