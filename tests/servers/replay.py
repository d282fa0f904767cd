"""A server that answers from a script: answers that neither moto nor radosgw can give."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from batchscribe.storage.access import Access
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from tests.servers.accesses import access_with

LAST_MODIFIED = "Mon, 23 Nov 2026 10:00:00 GMT"


@dataclass(frozen=True)
class Reply:
    """`cut_at`: bytes of the body after which the connection is closed."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]  #: names in lower case


def error(status: int, code: str, extra: str = "", **headers: str) -> Reply:
    """Return an error as S3 documents it."""
    body = f"<Error><Code>{code}</Code><Message>secret detail</Message>{extra}</Error>"
    return Reply(status, body.encode(), headers)


class Replay:
    """A server that answers requests with `script`, in order. The last reply is repeated. It keeps every request."""

    def __init__(self, endpoint: str, script: list[Reply]) -> None:
        self.endpoint = endpoint
        self.requests: list[Request] = []
        self._script = list(script)
        self._lock = threading.Lock()

    def access(self, aws: AwsCredentials | None = None, region: str | None = None) -> Access:
        return access_with(aws, s3_endpoint=self.endpoint, s3_region=region, s3_allow_http=True)

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            return self._script.pop(0) if len(self._script) > 1 else self._script[0]


@contextmanager
def replaying(*script: Reply) -> Iterator[Replay]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    replay = Replay(f"http://127.0.0.1:{server.server_port}", list(script))
    server.RequestHandlerClass = type("ReplayHandler", (Handler,), {"replay": replay})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield replay
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    replay: Replay

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.replay.answer(Request(self.command, self.path, headers)))

    do_HEAD = do_GET  # noqa: N815 (the base class looks these names up)
    do_PUT = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def _send(self, reply: Reply) -> None:
        headers = {"Content-Length": str(len(reply.body)), "ETag": '"v1"', "Last-Modified": LAST_MODIFIED}
        self.send_response(reply.status)
        for name, value in (headers | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body[: reply.cut_at])
        if reply.cut_at is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Log nothing; tests read `replay.requests`."""
