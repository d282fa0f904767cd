"""Answers that are held until their clients have read them: how many there may be, and when their memory is free."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import Response
from starlette.types import Message

from batchscribe.errors import TooManyRequests
from batchscribe.web.block_answers import BLOCK_BYTES, HeldAnswers

MIB = 2**20
LARGE = bytes(range(256)) * (4 * MIB // 256) + b"end"
HEADERS = {"Content-Type": "text/plain"}


class SlowClient:
    """Reads one message, and no more until it `goes_on` or is gone."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.goes_on = asyncio.Event()
        self.is_gone = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.got.append(message)
        if len(self.got) > 1:
            await self.goes_on.wait()

    async def receive(self) -> Message:
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def read(self, answer: Response) -> None:
        await answer({"type": "http", "asgi": {"spec_version": "2.3"}}, self.receive, self.send)

    @property
    def content(self) -> list[bytes]:
        return [message.get("body", b"") for message in self.got[1:]]


def hold(held: HeldAnswers, tenant: str = "alice") -> Response:
    return held.answer(tenant, LARGE, HEADERS)


def test_a_large_answer_arrives_whole_and_in_blocks() -> None:
    async def sent() -> None:
        client = SlowClient()
        client.goes_on.set()
        answer = hold(HeldAnswers())
        await client.read(answer)
        assert b"".join(client.content) == LARGE
        assert max(map(len, client.content)) == BLOCK_BYTES
        assert answer.headers["content-length"] == str(len(LARGE))
        assert answer.headers["content-type"] == "text/plain"

    asyncio.run(sent())


@pytest.mark.parametrize("is_gone", [False, True])
def test_the_memory_of_a_tenant_is_limited_until_a_client_has_read_or_is_gone(is_gone: bool) -> None:
    async def sent() -> None:
        held, client = HeldAnswers(of_tenant=7 * MIB), SlowClient()
        reads = asyncio.create_task(client.read(hold(held)))
        await asyncio.sleep(0.01)
        assert len(client.got) == 2
        with pytest.raises(TooManyRequests):
            hold(held)
        hold(held, "bob")
        assert held.answer("alice", LARGE[:BLOCK_BYTES], HEADERS).body == LARGE[:BLOCK_BYTES]
        (client.is_gone if is_gone else client.goes_on).set()
        await reads
        assert len(client.got) == (2 if is_gone else 5)
        hold(held)

    asyncio.run(sent())


def test_the_memory_of_all_tenants_is_limited() -> None:
    held = HeldAnswers(of_all=10 * MIB)
    hold(held, "alice")
    hold(held, "bob")
    with pytest.raises(TooManyRequests):
        hold(held, "carol")


def test_an_answer_above_the_limit_is_sent_alone() -> None:
    held = HeldAnswers(of_tenant=MIB, of_all=MIB)
    hold(held)
    with pytest.raises(TooManyRequests):
        hold(held)
