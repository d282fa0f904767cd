"""A webhook receiver with scripted replies, which keeps what it receives."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.contract.strict import Json
from tests.integration.command import wait_until


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_sec: float = 0.0
    hangs_up: bool = False  #: closes the connection without an answer


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt as received; `headers` by their names in lower case."""

    at: float  #: Unix seconds
    method: str
    headers: Mapping[str, str]
    raw_body: bytes

    @property
    def body(self) -> Json:
        body: Json = json.loads(self.raw_body)
        return body

    def is_signed_with(self, secret: str) -> bool:
        """Check the signature as the vendor's receivers do."""
        signed = f"v0:{self.headers['x-zm-request-timestamp']}:".encode() + self.raw_body
        expected = "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, self.headers["x-zm-signature"])


@dataclass(slots=True)
class Hook:
    """One path of a receiver, with its replies in order. The last one is repeated."""

    url: str
    replies: tuple[Reply, ...]
    deliveries: list[Delivery] = field(default_factory=list)

    def wait_for(self, count: int) -> list[Delivery]:
        wait_until(lambda: len(self.deliveries) >= count)
        return self.deliveries

    def taken(self, delivery: Delivery) -> Reply:
        self.deliveries.append(delivery)
        return self.replies[min(len(self.deliveries), len(self.replies)) - 1]


class Receiver(ThreadingHTTPServer):
    """A receiver that listens immediately and answers in separate threads."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.hooks: dict[str, Hook] = {}

    def hook(self, *replies: Reply, path: str = "") -> Hook:
        """Create a path with these replies; 200 by default."""
        path = path or f"/hooks/{len(self.hooks)}"
        self.hooks[path] = Hook(f"http://127.0.0.1:{self.server_port}{path}", replies or (Reply(),))
        return self.hooks[path]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        hook = self.server.hooks.get(self.path)
        reply = hook.taken(Delivery(time.time(), self.command, headers, body)) if hook else Reply(404)
        time.sleep(reply.delay_sec)
        if not reply.hangs_up:
            self._send(reply)

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = answer  # noqa: N815  # the names http.server looks for

    def _send(self, reply: Reply) -> None:
        try:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:  # the sender did not wait for the answer
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@contextmanager
def running_receiver(port: int = 0, path: str = "") -> Iterator[Receiver]:
    """Run a receiver with a hook at `path`, which exists before the first request."""
    with Receiver(port) as receiver:
        if path:
            receiver.hook(path=path)
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()
