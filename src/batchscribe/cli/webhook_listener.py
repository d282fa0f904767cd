"""The receiver behind `batchscribe webhooks listen`, and the format of what it prints."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import BoundedSemaphore, Lock, Thread

import typer

from batchscribe.errors import UsageError
from batchscribe.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, find_fault
from batchscribe.wire.base import JsonObject

MAX_BODY_BYTES = 2**20
SLOW_SEC = 10.0  #: the longest pause of a sender within its request
MOST_AT_ONCE = 64  #: concurrent requests; senders of webhooks retry
ENDS = {signal.SIGINT, signal.SIGTERM}
COUNTED = ("succeeded", "failed", "skipped", "canceled", "processing", "queued")


@dataclass(frozen=True, slots=True)
class WebhookArrival:
    """A received webhook. `fault` describes an invalid signature, if it was checked."""

    event: JsonObject
    moment: float  #: Unix seconds
    checked: bool
    fault: str | None = None

    def format_line(self) -> str:
        """Format it for a person, without control characters, because the sender may be anyone."""
        job = self.event["job"]
        words = [
            f"{datetime.fromtimestamp(self.moment).astimezone():%H:%M:%S}",
            *(str(part) for part in (self.event["event_type"], job["job_id"], job.get("state", ""))),
            _format_counts(job.get("summary")),
            f"signature WRONG: {self.fault}" if self.fault else f"signature {self._signature}",
        ]
        return "  ".join(_replace_controls(word) for word in words if word)

    def format_json(self) -> str:
        """Format it for a program, as one line."""
        arrival = {
            "received_at": datetime.fromtimestamp(self.moment, UTC).isoformat(timespec="seconds"),
            "signature": self._signature,
            "event": self.event,
        }
        return json.dumps(arrival | ({"fault": self.fault} if self.fault else {}))

    @property
    def _signature(self) -> str:
        if not self.checked:
            return "not checked"
        return "wrong" if self.fault else "ok"


def read_event(body: bytes) -> JsonObject | None:
    """Parse a body; None if it is not an event."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and _is_event(event) else None


def _is_event(event: JsonObject) -> bool:
    job = event.get("job")
    return isinstance(event.get("event_type"), str) and isinstance(job, dict) and isinstance(job.get("job_id"), str)


def _format_counts(summary: object) -> str:
    """Format the counts as in `39 succeeded, 1 failed`."""
    if not isinstance(summary, dict):
        return ""
    return ", ".join(f"{summary[name]} {name}" for name in COUNTED if summary.get(name)) or "no files"


def _replace_controls(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


# The server

Show = Callable[[WebhookArrival], None]
Connection = socket | tuple[bytes, socket]


def receive(host: str, port: int, *, secret: str | None, show: Show, ready: Callable[[str], None]) -> None:
    """Receive until Ctrl-C or SIGTERM; `ready` is called with the URL. Raises `UsageError`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # threads inherit it, so only `sigwait` receives them
    with _serve(host, port, secret=secret, show=show) as url:
        ready(url)
        signal.sigwait(ENDS)


@contextmanager
def _serve(host: str, port: int, *, secret: str | None, show: Show) -> Iterator[str]:
    with _open_listener(host, port, secret, show) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


def _open_listener(host: str, port: int, secret: str | None, show: Show) -> WebhookListener:
    try:
        return WebhookListener(host, port, secret, show)
    except OSError as error:
        raise UsageError(f"Cannot listen on {host}:{port}: {error.strerror}; choose another --port.") from error


class WebhookListener(ThreadingHTTPServer):
    """A server that shows one webhook at a time."""

    def __init__(self, host: str, port: int, secret: str | None, show: Show) -> None:
        self._secret = secret
        self._show = show
        self._lock = Lock()
        self._places = BoundedSemaphore(MOST_AT_ONCE)
        super().__init__((host, port), WebhookHandler)

    def process_request(self, request: Connection, client_address: object) -> None:
        """Handle the request in its own thread. Close it if there are too many, to save threads and descriptors."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Connection, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"

    def take(self, body: bytes, *, timestamp: str, signature: str) -> HTTPStatus:
        """Check and show one request, and return the status of the response."""
        event = read_event(body)
        if event is None:
            typer.echo(f"{len(body)} bytes that are not an event were answered with 400.", err=True)
            return HTTPStatus.BAD_REQUEST
        now = time.time()
        fault = self._fault(body, timestamp, signature, now)
        with self._lock:
            self._show(WebhookArrival(event, moment=now, checked=bool(self._secret), fault=fault))
        return HTTPStatus.UNAUTHORIZED if fault else HTTPStatus.OK

    def _fault(self, body: bytes, timestamp: str, signature: str, now: float) -> str | None:
        if not self._secret:
            return None
        return find_fault(body, secret=self._secret, timestamp=timestamp, signature=signature, now=now)


class WebhookHandler(BaseHTTPRequestHandler):
    server: WebhookListener
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

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
        """Log nothing, because webhooks are printed."""
