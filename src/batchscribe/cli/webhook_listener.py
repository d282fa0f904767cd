"""The server behind `batchscribe webhooks listen`: as small as a receiver can be, and as strict as one should be."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import BoundedSemaphore, Lock, Thread

import typer

from batchscribe.cli.webhook_arrival import Arrival, event_in
from batchscribe.errors import UsageError
from batchscribe.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, find_fault

MAX_BODY_BYTES = 2**20
SLOW_SEC = 10.0  #: for a sender that stops in the middle of its request
MOST_AT_ONCE = 64  #: requests; the senders of webhooks try again
ENDS = {signal.SIGINT, signal.SIGTERM}

Show = Callable[[Arrival], None]
Request = socket | tuple[bytes, socket]


def receive(host: str, port: int, *, secret: str | None, show: Show, ready: Callable[[str], None]) -> None:
    """Until Ctrl-C or SIGTERM; `ready` is called with the URL. Raises `UsageError`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # threads inherit it, so that only `sigwait` gets them
    with _serving(host, port, secret=secret, show=show) as url:
        ready(url)
        signal.sigwait(ENDS)


@contextmanager
def _serving(host: str, port: int, *, secret: str | None, show: Show) -> Iterator[str]:
    with _opened(host, port, secret, show) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


def _opened(host: str, port: int, secret: str | None, show: Show) -> Listener:
    try:
        return Listener(host, port, secret, show)
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror}; choose another --port.") from error


class Listener(ThreadingHTTPServer):
    """Shows one arrival at a time."""

    def __init__(self, host: str, port: int, secret: str | None, show: Show) -> None:
        self._secret = secret
        self._show = show
        self._lock = Lock()
        self._places = BoundedSemaphore(MOST_AT_ONCE)
        super().__init__((host, port), Handler)

    def process_request(self, request: Request, client_address: object) -> None:
        """Each has a thread; one that finds no place is closed, so that threads and descriptors never run out."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Request, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"

    def take(self, body: bytes, *, timestamp: str, signature: str) -> HTTPStatus:
        """Judge and show one request; the status to answer it with."""
        event = event_in(body)
        if event is None:
            typer.echo(f"{len(body)} bytes that are no event are answered with 400.", err=True)
            return HTTPStatus.BAD_REQUEST
        now = time.time()
        fault = self._fault(body, timestamp, signature, now)
        with self._lock:
            self._show(Arrival(event, moment=now, checked=bool(self._secret), fault=fault))
        return HTTPStatus.UNAUTHORIZED if fault else HTTPStatus.OK

    def _fault(self, body: bytes, timestamp: str, signature: str, now: float) -> str | None:
        if not self._secret:
            return None
        return find_fault(body, secret=self._secret, timestamp=timestamp, signature=signature, now=now)


class Handler(BaseHTTPRequestHandler):
    server: Listener
    timeout = SLOW_SEC

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._answer(HTTPStatus.LENGTH_REQUIRED)
        elif len(length) > len(str(MAX_BODY_BYTES)) or int(length) > MAX_BODY_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            body = self.rfile.read(int(length))
            timestamp, signature = (self.headers.get(name, "") for name in (TIMESTAMP_HEADER, SIGNATURE_HEADER))
            self._answer(self.server.take(body, timestamp=timestamp, signature=signature))

    def _answer(self, status: HTTPStatus) -> None:
        said = "received" if status is HTTPStatus.OK else status.phrase
        body = json.dumps({"status": said}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Quiet: what arrives is shown."""
