"""A web server with TLS that serves objects in ranges, like a pre-signed URL."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

SIGNED = "X-Amz-Signature=marked-signature"


@dataclass
class Web:
    """`objects` by their paths; `signed` ones need the query. `seen` are the requests: path and Range."""

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    signed: set[str] = field(default_factory=set)
    statuses: dict[str, int] = field(default_factory=dict)  #: reply instead of the object
    whole: set[str] = field(default_factory=set)  #: sent whole, whatever the range
    etags: dict[str, str] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  #: instead of those that an object has
    seen: list[tuple[str, str]] = field(default_factory=list)

    def url(self, path: str) -> str:
        query = f"?{SIGNED}" if path in self.signed else ""
        return f"https://localhost:{self.port}{path}{query}"


@contextmanager
def web_server(tls: ssl.SSLContext) -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, web)

        def log_message(self, *_args: Any) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        web.port = server.server_port
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield web
        server.shutdown()
        thread.join()


def answer(request: BaseHTTPRequestHandler, web: Web) -> None:
    path, _, query = request.path.partition("?")
    wanted = request.headers.get("Range", "")
    web.seen.append((path, wanted))
    content, etag = web.objects.get(path), web.etags.get(path, '"1"')
    if path in web.statuses:
        send(request, web.statuses[path], b"", {"Location": "https://localhost/elsewhere"})
    elif content is None:
        send(request, 404, b"", {})
    elif path in web.signed and query != SIGNED:
        send(request, 403, b"", {})
    elif request.headers.get("If-Match", etag) != etag:
        send(request, 412, b"", {})
    elif path in web.whole:
        send(request, 200, content, {"ETag": etag})
    else:
        send_range(request, content, wanted, {"ETag": etag, **web.headers.get(path, {})})


def send_range(request: BaseHTTPRequestHandler, content: bytes, wanted: str, headers: dict[str, str]) -> None:
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
    assert found, wanted
    start, end = int(found[1]), min(int(found[2]) + 1, len(content))
    if start >= len(content):
        send(request, 416, b"", {"Content-Range": f"bytes */{len(content)}", **headers})
        return
    told = {"Content-Range": f"bytes {start}-{end - 1}/{len(content)}", **headers}
    send(request, 206, content[start:end], told)


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)
