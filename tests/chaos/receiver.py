"""A webhook receiver that fails at times, and records every event in the ledger before it answers."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.chaos.ledger import Ledger
from tests.chaos.quiet import QuietServer
from tests.chaos.weather import Sky, Weather

SECRET = "chaos-webhook-secret"
SLOW_SEC = 2.0


class Server(QuietServer):
    def __init__(self, port: int, weather: Weather, ledger: Ledger) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.weather = weather
        self.ledger = ledger


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        event = json.loads(body)
        sky = self.server.weather.now()
        self.server.ledger.note(
            "webhook",
            event_id=event["event_id"],
            event_type=event["event_type"],
            job_id=event["job"]["job_id"],
            summary=event["job"]["summary"],
            digest=hashlib.sha256(body).hexdigest(),
            is_signed=self._is_signed(body),
            sky=sky,
        )
        if sky is Sky.SLOW:
            time.sleep(SLOW_SEC)
        if sky is Sky.CUTS:
            self.close_connection = True
            return
        self._reply(500 if sky is Sky.REFUSES else 200)

    def _is_signed(self, body: bytes) -> bool:
        signed = f"v0:{self.headers['x-zm-request-timestamp']}:".encode() + body
        expected = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, self.headers["x-zm-signature"])

    def _reply(self, status: int) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:  # the sender was killed
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


class Receiver:
    """A receiver that listens on one port, except while it is down."""

    def __init__(self, weather: Weather, ledger: Ledger) -> None:
        self._weather = weather
        self._ledger = ledger
        self._server = Server(0, weather, ledger)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._port = self._server.server_port
        self._thread = self._serve()

    def set(self, sky: Sky) -> None:
        was_down = self._weather.sky is Sky.DOWN
        self._weather.set(sky)
        if sky is Sky.DOWN and not was_down:
            self.close()
        elif was_down and sky is not Sky.DOWN:
            self._server = Server(self._port, self._weather, self._ledger)
            self._thread = self._serve()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> threading.Thread:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        return thread


@contextmanager
def running_receiver(weather: Weather, ledger: Ledger) -> Iterator[Receiver]:
    receiver = Receiver(weather, ledger)
    try:
        yield receiver
    finally:
        receiver.set(Sky.CLEAR)
        receiver.close()
