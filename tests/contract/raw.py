"""Raw requests that no HTTP client would send."""

from __future__ import annotations

import socket
from contextlib import closing
from http.client import HTTPResponse

from tests.contract.client import Answer, Client


def send_raw(client: Client, method: str, target: str, *, lines: tuple[str, ...] = (), body: bytes = b"") -> Answer:
    """Send `target` and `lines` unchanged, with the client's headers. The answer is checked like any other."""
    own = [f"{name}: {value}" for name, value in client.headers.items()]
    host = client.url.removeprefix("http://")
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *own, *lines, "", ""]
    answer = exchanged(client.url, "\r\n".join(head).encode("latin-1") + body, method)
    client.check(method, target.partition("?")[0], answer)
    return answer


def exchanged(url: str, request: bytes, method: str = "GET") -> Answer:
    """Return the answer to these bytes."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        with closing(HTTPResponse(connection, method=method)) as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())


def chunked(body: bytes, size: int = 65_536) -> bytes:
    """The body in transfer coding `chunked`."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
