"""ASGI middleware around the whole application.

It collapses double slashes in the path (contract 1), gives every response and log line the tracking id of its request,
and logs unexpected errors. With authentication off, it accepts only requests addressed to this machine.
"""

from __future__ import annotations

import re
import time
import uuid
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batchscribe.api.error_answers import answer_of
from batchscribe.api.unknown_names import unknown_parameters
from batchscribe.errors import AccessTokenInvalid
from batchscribe.metrics import count_request


def is_loopback(host: str) -> bool:
    """Return whether a host to listen on, a name or an address, is loopback."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def asks_loopback(host_header: str) -> bool:
    """Return whether the header `Host`, with or without a port, is loopback."""
    try:
        return is_loopback(urlsplit(f"//{host_header}").hostname or "")
    except ValueError:  # unbalanced brackets
        return False


log = structlog.get_logger()

TRACKING_HEADER = "x-zm-trackingid"
_SLASHES = re.compile("/{2,}")


class Front:
    """The middleware."""

    def __init__(self, app: ASGIApp, *, loopback_only: bool = False, root_path: str = "") -> None:
        """Wrap `app`. `loopback_only` also blocks DNS rebinding: such a web page sends its own host name.

        `root_path` is the prefix under which a proxy publishes the server, whether or not the proxy removes it.
        """
        self._app = app
        self._loopback_only = loopback_only
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = _SLASHES.sub("/", scope["path"])
        scope["path"] = f"{self._root_path}{below(self._root_path, path)}"
        scope["root_path"] = self._root_path
        visit = RequestLog(send)
        scope.setdefault("state", {})["tracking_id"] = visit.tracking_id
        with structlog.contextvars.bound_contextvars(tracking_id=visit.tracking_id):
            await self._serve(scope, receive, visit)
            took_sec = time.monotonic() - visit.began_at
            count_request(scope["method"], route_of(scope), visit.status, took_sec)
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=visit.status,
                tenant=scope.get("state", {}).get("tenant"),
                took_ms=round(1000 * took_sec, 1),
                **unknown_parameters(scope),
            )

    async def _serve(self, scope: Scope, receive: Receive, visit: RequestLog) -> None:
        if self._loopback_only and not asks_loopback(Headers(scope=scope).get("host", "")):
            refusal = AccessTokenInvalid("With BATCHSCRIBE_AUTH=off, only requests to localhost are answered.")
            await answer_of(refusal)(scope, receive, visit.send)
            return
        try:
            await self._app(scope, receive, visit.send)
        except Exception:  # it has been answered: see `add_refusals`
            log.exception("request.mistake", path=scope["path"])


def below(root_path: str, path: str) -> str:
    """Return the path without the prefix, if it has it."""
    if path == root_path:
        return "/"
    return path.removeprefix(root_path) if path.startswith(f"{root_path}/") else path


def route_of(scope: Scope) -> str | None:
    """Return the path template below the prefix, such as `/jobs/{job_id}`; None if no route matches.

    That of a page begins with `page`, because some pages have the same path as a route of the HTTP interface.
    """
    path: str | None = getattr(scope.get("route"), "path", None)
    is_page = scope.get("state", {}).get("is_page", False)
    return f"page {path}" if path and is_page else path


class RequestLog:
    """The log data of one request. `send` adds the tracking id to the response and records its status."""

    def __init__(self, send: Send) -> None:
        self.tracking_id = uuid.uuid4().hex
        self.status: int | None = None
        self.began_at = time.monotonic()
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            MutableHeaders(scope=message)[TRACKING_HEADER] = self.tracking_id
        await self._send(message)
