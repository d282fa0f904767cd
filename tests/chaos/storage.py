"""Storage that fails at times: a proxy in front of an S3 server, which records every PUT in the ledger."""

from __future__ import annotations

import hashlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.chaos.ledger import Ledger
from tests.chaos.quiet import QuietServer
from tests.chaos.weather import Sky, Weather

SLOW_SEC = 2.0
CRUMB_SEC = 0.5  #: between two bytes while storage starves its clients
UPSTREAM_SEC = 30.0
OUT_OF_DATE = {"connection", "transfer-encoding", "content-length"}  #: headers that the proxy writes itself
REFUSAL = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete response of the S3 server."""

    status: int
    headers: list[tuple[str, str]]
    length: str
    body: bytes


class Proxy(QuietServer):
    """A proxy that forwards requests unless the weather is bad. It records `PUT`: key, digest of the body, and outcome.

    Requests for the buckets in `starving` always starve.
    """

    def __init__(self, upstream: str, weather: Weather, ledger: Ledger) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.weather = weather
        self.ledger = ledger
        self.starving: set[str] = set()
        self._upstream = urlsplit(upstream).netloc

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def sky(self, bucket: str) -> Sky:
        return Sky.STARVES if bucket in self.starving else self.weather.now(bucket)

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        connection = HTTPConnection(self._upstream, timeout=UPSTREAM_SEC)
        try:
            connection.request(method, path, body, headers)
            return _answer(connection.getresponse())
        finally:
            connection.close()


def _answer(response: HTTPResponse) -> Answer:
    body = response.read()
    headers = [(name, value) for name, value in response.getheaders() if name.lower() not in OUT_OF_DATE]
    return Answer(response.status, headers, response.getheader("Content-Length") or str(len(body)), body)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self.server.sky(self._bucket):
            case Sky.REFUSES:
                self._note(body, 503)
                self._reply(Answer(503, [("Content-Type", "application/xml")], str(len(REFUSAL)), REFUSAL))
            case Sky.CUTS if self.server.weather.is_heads():
                self._note(body, None)
                self.close_connection = True
            case Sky.CUTS:
                answer = self._forward(body)
                self._reply(answer, cut_at=len(answer.body) // 2)
            case Sky.STARVES if self.server.weather.is_heads():
                self._wait_until_fed()
                self._note(body, None)
                self.close_connection = True
            case Sky.STARVES:
                self._reply(self._forward(body), is_starving=True)
            case Sky.SLOW:
                time.sleep(SLOW_SEC)
                self._reply(self._forward(body))
            case _:
                self._reply(self._forward(body))

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = pass_on  # noqa: N815 - the names http.server looks for

    def _forward(self, body: bytes) -> Answer:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        answer = self.server.forward(self.command, self.path, headers, body)
        self._note(body, answer.status)
        return answer

    def _note(self, body: bytes, status: int | None) -> None:
        """Record a PUT. `status` is the S3 server's, sent on or not; None if the request did not reach it."""
        if self.command == "PUT":
            digest = hashlib.sha256(body).hexdigest()
            self.server.ledger.note("put", key=urlsplit(self.path).path, digest=digest, status=status)

    @property
    def _bucket(self) -> str:
        return urlsplit(self.path).path.lstrip("/").partition("/")[0]

    def _is_starving(self) -> bool:
        return self.server.sky(self._bucket) is Sky.STARVES

    def _wait_until_fed(self) -> None:
        """Wait until starvation ends or the client disconnects."""
        while self._is_starving() and not _has_gone(self.connection):
            time.sleep(CRUMB_SEC)

    def _write_in_crumbs(self, body: bytes) -> None:
        """Write a body byte by byte, and the rest when starvation ends."""
        view = memoryview(body)
        while view and self._is_starving():
            self.wfile.write(view[:1])
            view = view[1:]
            time.sleep(CRUMB_SEC)
        self.wfile.write(view)

    def _reply(self, answer: Answer, cut_at: int | None = None, *, is_starving: bool = False) -> None:
        """Send the response. With `cut_at`, send only that many bytes of the body, or nothing if it is empty."""
        self.close_connection = self.close_connection or cut_at is not None
        if cut_at == 0:
            return
        try:
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", answer.length)
            self.end_headers()
            if self.command == "HEAD":
                return
            if is_starving:
                self._write_in_crumbs(answer.body)
            else:
                self.wfile.write(answer.body[:cut_at])
        except OSError:  # the client was killed
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


def _has_gone(client: socket.socket) -> bool:
    """Return whether the client has disconnected. It sends no second request, so readable data means the end."""
    return bool(select.select([client], [], [], 0)[0])


@contextmanager
def running_proxy(upstream: str, weather: Weather, ledger: Ledger) -> Iterator[Proxy]:
    with Proxy(upstream, weather, ledger) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
