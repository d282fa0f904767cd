"""One request to a storage, without redirects, proxies, cookies or anything of the environment but SSL_CERT_FILE.

On httpcore2 itself: obstore's client followed redirects to other buckets, which no option turns off, and hid the
headers by which a changed object is known.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import httpcore2

from batchscribe import __version__
from batchscribe.outbound.guard import BoundedStream, Deadline
from batchscribe.storage.answer_checks import Answer

CONNECT_SEC = 5.0
REQUEST_SEC = 30.0  #: from connecting to the last byte of an answer of at most a few MiB
IDLE_SEC = 15.0  #: that a connection waits for its next request; most servers close theirs later
KEPT_CONNECTIONS = 16
MOST_OF_A_REFUSAL = 64 * 2**10  #: bytes of its body that are read
DEFAULT_PORTS = {"http": 80, "https": 443}

#: What a request raises when there is no whole answer.
NO_ANSWER = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`url` is percent-encoded; of a success's body at most `limit_bytes` are read."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    limit_bytes: int = MOST_OF_A_REFUSAL


class HttpClient:
    """Keeps connections open between requests. Thread-safe."""

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
        """Raises `NO_ANSWER`."""
        _DEADLINES.current = Deadline(within_sec)
        with self._pool.stream(
            request.method,
            _target(request.url),
            headers=_encoded({"host": urlsplit(request.url).netloc, **_ALWAYS, **request.headers}),
            content=request.body if request.method == "PUT" else None,
            extensions={"timeout": {"connect": CONNECT_SEC}},
        ) as response:
            limit_bytes = request.limit_bytes if response.status < 300 else MOST_OF_A_REFUSAL
            return Answer(response.status, _decoded(response.headers), _body(response, limit_bytes))


_ALWAYS = {"user-agent": f"batchscribe/{__version__}", "accept-encoding": "identity"}


class _Deadlines(threading.local):
    """Of the request that each thread is about: a connection serves one request at a time, each with its own."""

    current: Deadline | None = None

    def left_sec(self, at_most: float | None = None) -> float:
        if self.current is None:  # outside of any request
            return REQUEST_SEC
        return self.current.left_sec(at_most)


_DEADLINES = _Deadlines()


class _Backend(httpcore2.NetworkBackend):
    """Connects in the time of the request that wants to."""

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


def _target(url: str) -> httpcore2.URL:
    """The URL as it is written: nothing is encoded, decoded or shortened."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return httpcore2.URL(scheme=parts.scheme.encode(), host=host, port=port, target=path.encode("ascii"))


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """As Latin-1, in which `_decoded` gave them: an ETag goes back byte for byte. No key has other characters."""
    return [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _body(response: httpcore2.Response, limit_bytes: int) -> bytes:
    """One byte more than the limit tells that the answer is longer."""
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > limit_bytes:
            break
    return bytes(body[: limit_bytes + 1])
