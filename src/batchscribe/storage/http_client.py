"""HTTP requests to storage, without redirects, proxies or cookies. The only variable used is SSL_CERT_FILE.

The client uses httpcore2 directly. obstore's client followed redirects to other buckets, which cannot be disabled, and
hid the headers that show whether an object changed.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import SplitResult, urlsplit

import httpcore2

from batchscribe import __version__
from batchscribe.outbound.guard import BoundedStream, Deadline
from batchscribe.storage.answer_checks import Answer

CONNECT_SEC = 5.0
REQUEST_SEC = 30.0  #: from connecting to the last byte of an answer of at most a few MiB
IDLE_SEC = 15.0  #: for which an idle connection is kept; most servers keep it longer
KEPT_CONNECTIONS = 16
MOST_OF_A_REFUSAL = 64 * 2**10  #: bytes read from the body of an error
DEFAULT_PORTS = {"http": 80, "https": 443}

#: The errors of a request without a complete answer.
NO_ANSWER = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request. `url` is percent-encoded. `limit_bytes` limits the body of a successful answer.

    A `repr` shows only the method, because all other parts may contain credentials.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    limit_bytes: int = MOST_OF_A_REFUSAL


class HttpClient:
    """An HTTP client that keeps connections open between requests. Thread-safe."""

    @cached_property
    def _pool(self) -> httpcore2.ConnectionPool:
        pool = httpcore2.ConnectionPool(
            ssl_context=httpcore2.default_ssl_context(),
            max_connections=None,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=IDLE_SEC,
            network_backend=_Backend(_DEADLINES),
        )
        weakref.finalize(self, pool.close)
        return pool

    def send(self, request: HttpRequest, *, within_sec: float = REQUEST_SEC) -> Answer:
        """Send a request and return the answer. Raises `NO_ANSWER`."""
        _DEADLINES.current = Deadline(within_sec)
        with self._pool.stream(
            request.method,
            _target(request.url),
            headers=_encoded({"host": _split(request.url)[0].netloc, **_ALWAYS, **request.headers}),
            content=request.body if request.method in ("POST", "PUT") else None,
            extensions={"timeout": {"connect": CONNECT_SEC}},
        ) as response:
            limit_bytes = request.limit_bytes if response.status < 300 else MOST_OF_A_REFUSAL
            return Answer(response.status, _decoded(response.headers), _body(response, limit_bytes))


_ALWAYS = {"user-agent": f"batchscribe/{__version__}", "accept-encoding": "identity"}


class _Deadlines(threading.local):
    """The deadline of the current request in each thread. A connection serves one request at a time."""

    current: Deadline | None = None

    def left_sec(self, at_most: float | None = None) -> float:
        if self.current is None:  # outside of any request
            return REQUEST_SEC
        return self.current.left_sec(at_most)


_DEADLINES = _Deadlines()


class _Backend(httpcore2.NetworkBackend):
    """A network backend that limits connecting and I/O to the deadline of the current request."""

    def __init__(self, deadlines: _Deadlines) -> None:
        self._deadlines = deadlines
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        left_sec = self._deadlines.left_sec(timeout)
        stream = self._sockets.connect_tcp(host, port, left_sec, local_address, socket_options)
        return BoundedStream(stream, self._deadlines)


def _split(url: str) -> tuple[SplitResult, str]:
    """Return scheme and host, and the path with the query.

    `urlsplit` keeps its argument in memory, and a query may contain a signature.
    """
    scheme, _, rest = url.partition("://")
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    path = rest[len(authority) :]
    return urlsplit(f"{scheme}://{authority}"), path if path.startswith("/") else f"/{path}"


def _target(url: str) -> httpcore2.URL:
    """Return the URL unchanged: nothing is encoded, decoded or normalized."""
    parts, path = _split(url)
    host = (parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii")
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return httpcore2.URL(scheme=parts.scheme.encode(), host=host, port=port, target=path.encode("ascii"))


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Encode as Latin-1, like `_decoded`, so that an ETag is sent back byte for byte. Credentials fit in Latin-1."""
    return [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _body(response: httpcore2.Response, limit_bytes: int) -> bytes:
    """Return the body. If it is longer than the limit, cut it one byte after the limit."""
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > limit_bytes:
            break
    return bytes(body[: limit_bytes + 1])
