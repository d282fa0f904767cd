"""A connection that the client resets at a bad moment."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from typing import Any

from starlette.responses import Response
from uvicorn.server import ServerState

from batchscribe.api.connections import ConnectionLimits, Connections
from batchscribe.api.protocol import BoundedConfig, BoundedProtocol

LIMITS = ConnectionLimits(connections=10, head_sec=10.0, body_sec=10.0, idle_sec=10.0)


class ResetAfterWrite:
    """A transport whose client resets the connection just after the server has written."""

    def __init__(self, transport: asyncio.BaseTransport, client: socket.socket) -> None:
        self._transport: Any = transport
        self._client = client

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._client.close()
        time.sleep(0.05)  # for the reset to arrive

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def refuse_while_the_client_resets() -> bool:
    """Return whether the connection is closed afterwards."""
    config = BoundedConfig(Response(), Connections(LIMITS), timeout_graceful_shutdown=1)
    config.load()
    accepted: list[BoundedProtocol] = []

    def accept() -> BoundedProtocol:
        accepted.append(BoundedProtocol(config, ServerState(), {}))
        return accepted[-1]

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    async with server:
        client = socket.create_connection(server.sockets[0].getsockname())
        client.sendall(b"GET / HTTP/1.1\r\nHo")
        while not (accepted and accepted[0].conn.trailing_data[0]):
            await asyncio.sleep(0.01)
        (protocol,) = accepted
        protocol.transport = ResetAfterWrite(protocol.transport, client)  # type: ignore[assignment]
        protocol.end_waiting(for_room=False)
        return protocol.transport.is_closing()


def test_a_client_that_resets_while_it_is_refused_does_not_end_the_server() -> None:
    assert asyncio.run(refuse_while_the_client_resets())
