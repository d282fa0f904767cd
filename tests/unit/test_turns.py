"""Turns on the request threads, and memory for bodies: a greedy tenant does not take them from others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event

import pytest

from batchscribe.api.turns import PER_TENANT, BodyRoom, Turns
from batchscribe.errors import ObjectNotFound, TooManyRequests


def test_a_tenant_waits_for_its_own_requests_and_others_do_not() -> None:
    async def ask(work: Callable[[], object]) -> list[str]:
        turns = Turns()
        answered: list[str] = []

        async def get(tenant: str) -> None:
            async with turns.turn(tenant):
                answered.append(tenant)

        greedy = [asyncio.create_task(turns.look_at_body("a", work)) for _ in range(5 * PER_TENANT)]
        await asyncio.sleep(0)
        late = asyncio.create_task(get("a"))
        await get("b")
        release.set()
        await asyncio.gather(*greedy, late)
        return answered

    release = Event()
    assert asyncio.run(ask(release.wait)) == ["b", "a"]


def test_a_turn_ends_with_its_error() -> None:
    def fails() -> None:
        raise ObjectNotFound("gone")

    async def ask() -> str:
        turns = Turns()
        for _ in range(2 * PER_TENANT):
            with pytest.raises(ObjectNotFound, match="gone"):
                await turns.look_at_body("a", fails)
        return await turns.look_at_body("a", lambda: "answered")

    assert asyncio.run(ask()) == "answered"


def test_the_bodies_of_a_tenant_have_bounded_memory_of_their_own() -> None:
    room = BodyRoom(100)
    with room.of("a") as take, room.of("b") as take_of_b:
        take(60)
        with room.of("a") as take_more, pytest.raises(TooManyRequests, match="60 bytes") as refused:
            take_more(41)
        assert refused.value.retry_after_sec > 0
        take_of_b(100)
    with room.of("a") as take:
        take(100)
