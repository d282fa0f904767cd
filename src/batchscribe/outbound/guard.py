"""The guard where connections are made: a name is resolved once, judged, and connected to as the address it was.

A check of the name before the request would not do: it may resolve to something else a moment later.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from threading import Thread

import httpcore2
import structlog

from batchscribe.errors import AddressNotAllowed
from batchscribe.outbound.addresses import Address, unwrapped
from batchscribe.outbound.deadline import BoundedStream, Deadline
from batchscribe.outbound.policy import Policy

log = structlog.get_logger()

#: Host and port to addresses, the preferred one first. Raises `OSError`.
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """As the system resolves. As bytes, because Python would refuse some text with an error of its own."""
    answers = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to allowed addresses only, in the time of one request."""

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
        """`timeout` is for each address. Raises `AddressNotAllowed` and what httpcore2 raises."""
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
        """All of them or none: a name with one bad address is not trusted with the others."""
        addresses = [unwrapped(ip_address(answer)) for answer in self._answers(host, port)]
        for address in addresses:
            if not self._policy.allows(address, port):
                # The operator reads which address it is; whoever named the host must not learn our networks from us.
                log.warning("outbound.refused", host=host, address=str(address), port=port)
                raise AddressNotAllowed(
                    f"{host} resolves to an address to which requests to port {port} are not allowed; use a public "
                    f"address, or {self._policy.ask_operator}."
                )
        return list(dict.fromkeys(addresses))

    def _answers(self, host: str, port: int) -> Sequence[str]:
        """In a thread, because the system's resolver takes no timeout and a hostile name server no end."""
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
