"""A webhook receiver on loopback that sends any bytes, also what no HTTP server would."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

ADDRESS = "127.0.0.1"
DRIP_SEC = 0.1

#: Writes a reply to the connection.
Answer = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Received:
    line: str  #: `POST /path HTTP/1.1`
    headers: dict[str, str]  #: names in lower case
    body: bytes


@dataclass
class Receiver:
    port: int
    scheme: str
    requests: list[Received] = field(default_factory=list)

    def url(self, path: str = "/hook", *, host: str = ADDRESS) -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    @property
    def request(self) -> Received:
        """The only request."""
        assert len(self.requests) == 1
        return self.requests[0]


def says(status: int = 200, *headers: str, body: bytes = b"{}") -> Answer:
    lines = [f"HTTP/1.1 {status} As it is", f"Content-Length: {len(body)}", *headers]
    reply = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return lambda connection: connection.sendall(reply)


def in_turn(*answers: Answer) -> Answer:
    """Send the replies in order; the last one is repeated."""
    left = list(answers)
    return lambda connection: (left.pop(0) if len(left) > 1 else left[0])(connection)


def drips(start: bytes, drop: bytes) -> Answer:
    """Send `start`, and then a drop every 0.1 s while the client is connected."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            time.sleep(DRIP_SEC)
            connection.sendall(drop)

    return answer


def pours(start: bytes, drop: bytes) -> Answer:
    """Send `start`, and then drops as fast as the client reads them."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(drop)

    return answer


@contextmanager
def receiving(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    with socket.create_server((ADDRESS, 0)) as listener:
        receiver = Receiver(listener.getsockname()[1], "https" if tls else "http")
        thread = threading.Thread(target=_serve, args=(listener, receiver, answer, tls), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread up
            thread.join()


def _serve(listener: socket.socket, receiver: Receiver, answer: Answer, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):  # the listener is closed
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_converse, args=(connection, receiver, answer, tls), daemon=True).start()


def _converse(connection: socket.socket, receiver: Receiver, answer: Answer, tls: ssl.SSLContext | None) -> None:
    with (
        connection,
        suppress(OSError),  # the sender disconnected, or rejected the certificate
        tls.wrap_socket(connection, server_side=True) if tls else connection as spoken,
    ):
        spoken.settimeout(30)
        receiver.requests.append(_read(spoken))
        answer(spoken)


def _read(connection: socket.socket) -> Received:
    with connection.makefile("rb") as stream:
        line = stream.readline().decode().strip()
        headers = dict(_header(text) for text in iter(lambda: stream.readline().decode().strip(), ""))
        return Received(line, headers, stream.read(int(headers.get("content-length", "0"))))


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()
