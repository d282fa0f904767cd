"""Answers that are sent in blocks. A client that reads slowly takes the memory of a block, not that of the whole.

What cannot be read again block by block, because it is made from a whole transcript, is held until its client has read
it. How much of that may be in memory is limited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from batchscribe.errors import TooManyRequests

BLOCK_BYTES = 2 * 2**20
OF_TENANT = 64 * 2**20  #: bytes; ten hours of words with their times take 8 MB
OF_ALL = 512 * 2**20  #: in one server process
RETRY_AFTER_SEC = 5


class BlockAnswer(StreamingResponse):
    """An answer of known size. `at_end` is called when it was sent, or its client is gone."""

    def __init__(
        self,
        blocks: AsyncIterator[bytes],
        size: int,
        headers: Mapping[str, str],
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(blocks, headers={**headers, "Content-Length": str(size)})
        self._at_end = at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._at_end()


class HeldAnswers:
    """The answers that are held until their clients have read them; used from the event loop."""

    def __init__(self, of_tenant: int = OF_TENANT, of_all: int = OF_ALL) -> None:
        self._of_tenant = of_tenant
        self._of_all = of_all
        self._held: Counter[str] = Counter()

    def answer(self, tenant: str, content: bytes, headers: Mapping[str, str]) -> Response:
        """Return an answer with this content. Raises `TooManyRequests`."""
        size = len(content)
        if size <= BLOCK_BYTES:
            return Response(content, headers=dict(headers))
        self._hold(tenant, size)
        return BlockAnswer(_blocks_of(content), size, headers, lambda: self._let_go(tenant, size))

    def _hold(self, tenant: str, size: int) -> None:
        """An answer that is larger than the limit of a tenant is its only one."""
        own, every = self._held[tenant], self._held.total()
        if (own and own + size > self._of_tenant) or (every and every + size > self._of_all):
            raise TooManyRequests(
                f"The server still sends other large transcripts; try again in {RETRY_AFTER_SEC} s.",
                retry_after_sec=RETRY_AFTER_SEC,
            )
        self._held[tenant] += size

    def _let_go(self, tenant: str, size: int) -> None:
        self._held[tenant] -= size
        if not self._held[tenant]:
            del self._held[tenant]


async def _blocks_of(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), BLOCK_BYTES):
        yield content[start : start + BLOCK_BYTES]
