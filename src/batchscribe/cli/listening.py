"""The socket on which a server listens, and its address for a person."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from batchscribe.api.serving import BACKLOG
from batchscribe.errors import InvalidSetting


@contextmanager
def listening(host: str, port: int, purpose: str, option: str) -> Iterator[socket.socket]:
    """`purpose` and the port's `option` are for the sentence. Raises `InvalidSetting`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise InvalidSetting(
            f"Cannot {purpose} on {host} port {port} ({error.strerror}); choose another with {option}."
        ) from error
    with listener:
        # Connections inherit it. asyncio sets it only on sockets that name their protocol, which `create_server` does
        # not: every answer would wait 40 ms for the client's word that it has the headers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
