"""Checks at connection time: a name is resolved once, and the checked address is the one connected to.

Checking the name before the request would not be enough, because it may resolve differently a moment later. A deadline
covers the whole request, so a receiver that sends one byte per second cannot prolong it.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from threading import Thread
from typing import Any, Protocol

import httpcore2
import structlog

from batchscribe.errors import AddressNotAllowed
from batchscribe.outbound.policy import Address, Policy, unwrap


class Deadline:
    """A deadline `total_sec` seconds from now."""

    def __init__(self, total_sec: float) -> None:
        self._at = time.monotonic() + total_sec

    def left_sec(self, at_most: float | None = None) -> float:
        """Return the remaining seconds. Raises `httpcore2.TimeoutException` if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore2.TimeoutException("the deadline has passed")
        return left if at_most is None else min(left, at_most)


class TimeLeft(Protocol):
    """A deadline, or an object that has the deadline of the current request."""

    def left_sec(self, at_most: float | None = None) -> float: ...


class BoundedStream(httpcore2.NetworkStream):
    """A connection on which no call lasts beyond the deadline or begins after it."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: TimeLeft) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_sec(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left_sec(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_sec(timeout))
        return BoundedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


log = structlog.get_logger()

#: Resolves host and port to addresses, in order of preference. Raises `OSError`.
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """Resolve with the system's resolver. The host is passed as bytes, because Python rejects some text itself."""
    answers = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects only to allowed addresses, within the deadline of one request."""

    def __init__(self, policy: Policy, deadline: Deadline, resolve: Resolve = resolve) -> None:
        self._policy = policy
        self._deadline = deadline
        self._resolve = resolve
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect; `timeout` applies to each address. Raises `AddressNotAllowed` and the errors of httpcore2."""
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in self._allowed_addresses(host, port):
            try:
                left_sec = self._deadline.left_sec(timeout)
                stream = self._sockets.connect_tcp(str(address), port, left_sec, local_address, socket_options)
                return BoundedStream(stream, self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    def _allowed_addresses(self, host: str, port: int) -> list[Address]:
        """Return all addresses if all are allowed: if one is not, the name is not trusted at all."""
        addresses = [unwrap(ip_address(answer)) for answer in self._resolve_in_time(host, port)]
        for address in addresses:
            if not self._policy.allows(address, port):
                # Only the log has the address: users must not learn about internal networks.
                log.warning("outbound.refused", host=host, address=str(address), port=port)
                raise AddressNotAllowed(
                    f"{host} resolves to an address to which requests to port {port} are not allowed; use a public "
                    f"address, or {self._policy.ask_operator}."
                )
        return list(dict.fromkeys(addresses))

    def _resolve_in_time(self, host: str, port: int) -> Sequence[str]:
        """Resolve in a thread: the system's resolver has no timeout, and a hostile name server may never answer."""
        answers: Future[Sequence[str]] = Future()

        def ask() -> None:
            try:
                answers.set_result(self._resolve(host, port))
            except OSError as error:
                answers.set_exception(error)

        Thread(target=ask, name="resolve", daemon=True).start()
        try:
            return answers.result(self._deadline.left_sec())
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"{host} was not resolved in time") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} cannot be resolved: {error.strerror}") from error
