"""Guarded HTTP requests. They use httpcore2 directly, which has no redirects, cookies, proxies or netrc to disable."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property

import httpcore2

from batchscribe.outbound.guard import Deadline, GuardedBackend, Resolve, resolve
from batchscribe.outbound.policy import Policy, check_url, parse_url, port_of

CONNECT_SEC = 5.0  #: for each address of a host
TOTAL_SEC = 10.0
MAX_REPLY_BYTES = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]


class GuardedClient:
    """Sends requests to addresses that the policy allows, each on its own connection. Thread-safe."""

    def __init__(self, policy: Policy, *, timeout_sec: float = TOTAL_SEC, resolve: Resolve = resolve) -> None:
        """`timeout_sec` limits a whole request, from name resolution to the end of the reply."""
        self._policy = policy
        self._timeout_sec = timeout_sec
        self._resolve = resolve

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """A context with the system's certificate authorities or those of SSL_CERT_FILE; loading them is slow."""
        return httpcore2.default_ssl_context()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a POST request. Raises `AddressNotAllowed` and httpcore2's timeout, network and protocol errors."""
        with self._exchange("POST", url, headers, body) as response:
            _drain(response)
            return Reply(response.status, _texts(response.headers))

    def get(self, url: str, headers: Mapping[str, str], *, limit_bytes: int) -> tuple[Reply, bytes]:
        """Send a GET request; return at most `limit_bytes` of the body. Raises the same errors as `post`."""
        with self._exchange("GET", url, headers, b"") as response:
            return Reply(response.status, _texts(response.headers)), _read(response, limit_bytes)

    @contextmanager
    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Iterator[httpcore2.Response]:
        check_url(url, self._policy)
        deadline = Deadline(self._timeout_sec)
        with (
            httpcore2.ConnectionPool(
                ssl_context=self._tls, network_backend=GuardedBackend(self._policy, deadline, self._resolve)
            ) as pool,
            pool.stream(
                method,
                _target(url),
                headers=[*_own_headers(url), *_encode(headers)],
                content=body,
                extensions={"timeout": {"connect": CONNECT_SEC}},
            ) as response,
        ):
            yield response


def _target(url: str) -> httpcore2.URL:
    parts = parse_url(url)
    return httpcore2.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=port_of(parts), target=parts.raw_path)


def _own_headers(url: str) -> list[tuple[bytes, bytes]]:
    return [(b"Host", parse_url(url).netloc), (b"Connection", b"close")]


def _encode(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Encode like `_texts` decodes, so that a received header can be sent back byte for byte."""
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]


def _texts(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _read(response: httpcore2.Response, limit_bytes: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) >= limit_bytes:
            break
    return bytes(body[:limit_bytes])


def _drain(response: httpcore2.Response) -> None:
    """Read and discard the body, within limits. Errors are ignored, because the status has already been received."""
    left = MAX_REPLY_BYTES
    with suppress(httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError):
        for chunk in response.iter_stream():
            left -= len(chunk)
            if left <= 0:
                return
