"""A reverse proxy that publishes a server under a path prefix, and removes the prefix or keeps it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

#: Belong to one connection, not to the message.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
BLOCK_BYTES = 16 * 2**10


@contextmanager
def prefix_proxy(upstream: str, prefix: str, *, removes: bool, proto: str = "http") -> Iterator[str]:
    """Run a proxy for `upstream`. Yield the URL under which it publishes it. All other paths get 404."""
    address = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            self.close_connection = True
            if self.path != prefix and not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            path = (self.path.removeprefix(prefix) or "/") if removes else self.path
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            headers["X-Forwarded-Proto"] = proto
            connection = http.client.HTTPConnection(address, timeout=60)
            connection.request(self.command, path, body or None, headers)
            with connection.getresponse() as answer, suppress(BrokenPipeError, ConnectionResetError):
                self._answer(answer)
            connection.close()

        def _answer(self, answer: http.client.HTTPResponse) -> None:
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while block := answer.read1(BLOCK_BYTES):
                self.wfile.write(block)
                self.wfile.flush()

        do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = _pass_on  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="prefix-proxy")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
