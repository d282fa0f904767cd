"""uvicorn's HTTP protocol, with limits on the time in which a client sends its request and reads its response.

uvicorn closes only connections that are idle after a response. A connection that sends half a request, or one byte a
minute, stays open forever. Input that is not HTTP gets the same error body as other invalid requests.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sys
import time
import uuid
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import h11
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol
from uvicorn.server import ServerState

from batchscribe.api.connections import Connections
from batchscribe.api.error_answers import body_of, headers_of, status_of
from batchscribe.api.front import TRACKING_HEADER
from batchscribe.errors import BatchscribeError, HeadTooLarge, MalformedRequest, RequestTooSlow, ServerBusy
from batchscribe.metrics import CLOSED_CONNECTIONS, OTHER, count_request

MAX_HEAD_BYTES = 64 * 2**10
ACCEPTED_AT_ONCE = 64  #: connections, before the first of them is processed
MIN_BYTES_PER_SEC = 16 * 2**10  #: a body that arrives at least this fast has no time limit
LINGER_SEC = 2.0  #: time for a client to read a refusal before its connection is reset
ANSWER_SEC = 60.0  #: time for a client to read its response

#: uvicorn logs a warning for each request that is not HTTP. Unknown clients could fill the disk with them.
_STRANGERS = logging.getLogger("uvicorn.strangers")
_STRANGERS.setLevel(logging.ERROR)


class Phase(Enum):
    """The client's action that a connection waits for."""

    IDLE = auto()  #: start a request
    HEAD = auto()  #: send the rest of its head
    BODY = auto()  #: send the rest of its body
    ANSWER = auto()  #: read its response
    END = auto()  #: close the connection, which has been refused


class BoundedConfig(Config):
    """Configuration of a server whose connections are `BoundedProtocol`s."""

    def __init__(self, app: ASGIApp, connections: Connections, *, timeout_graceful_shutdown: int) -> None:
        super().__init__(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,  # `configure_log` configures all libraries
            access_log=False,  # `Front` logs each request, without its query
            server_header=False,
            backlog=ACCEPTED_AT_ONCE,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            timeout_keep_alive=math.ceil(connections.limits.idle_sec),
            timeout_graceful_shutdown=timeout_graceful_shutdown,
        )
        self.connections = connections


class BoundedProtocol(H11Protocol):
    """One connection. `Connections` calls `end_waiting` when its time limit is over."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        assert isinstance(config, BoundedConfig)  # noqa: S101 - for the type checker
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _STRANGERS
        self._among = config.connections
        self._limits = config.connections.limits
        self._phase: Phase | None = None  #: None while the server processes the request
        self._request: object = None  #: the request that the phase belongs to
        self._phase_began_at = 0.0
        self._phase_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        super().connection_made(transport)
        if self._among.admit(self):
            self._wait(Phase.HEAD)
        else:
            busy = ServerBusy("The server has reached its connection limit; try again in a moment.")
            self._refuse(busy, lingers=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._among.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._phase is Phase.END:
            return  # discards the data: unread data would reset the connection before the client reads the refusal
        self._phase_bytes += len(data)
        began_before = self.conn.their_state is not h11.IDLE
        super().data_received(data)
        self._look(Phase.IDLE if began_before else Phase.HEAD)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look(Phase.IDLE)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._phase is not Phase.END:
            self._wait(Phase.ANSWER)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._phase is Phase.ANSWER:
            self._go_on()
            self._look(Phase.IDLE)

    def timeout_keep_alive_handler(self) -> None:
        if self._phase is Phase.IDLE:
            self._close()

    def shutdown(self) -> None:
        if self._phase is Phase.END:
            self.transport.abort()
        else:
            super().shutdown()

    def end_waiting(self, *, for_room: bool) -> None:
        """See `IdleConnection`."""
        if not for_room and self._may_go_on():
            return
        if not for_room and self._phase not in (Phase.IDLE, Phase.END):
            CLOSED_CONNECTIONS.labels("too_slow").inc()
        if self._phase is Phase.BODY or (self._phase is Phase.HEAD and self._phase_bytes):
            late = RequestTooSlow("The request did not arrive in time; send the whole request again.")
            self._refuse(late, lingers=not for_room)
        elif self._phase in (Phase.IDLE, Phase.HEAD):
            self._close()
        else:
            self.transport.abort()

    def _may_go_on(self) -> bool:
        """Extend the time limit of a body that arrives fast enough or that the server has paused reading.

        Return whether it was extended.
        """
        if self._phase is not Phase.BODY:
            return False
        allowed_sec = self._limits.body_sec + self._phase_bytes / MIN_BYTES_PER_SEC
        left_sec = self._phase_began_at + allowed_sec - time.monotonic()
        if self.flow.read_paused:
            left_sec = self._limits.body_sec
        if left_sec > 0:
            self._among.wait(self, left_sec)
        return left_sec > 0

    def _look(self, between_requests: Phase) -> None:
        """Update the phase after an event."""
        if self._phase in (Phase.ANSWER, Phase.END):
            return
        if self.transport.is_closing():
            self._wait(Phase.ANSWER)  # it closes only after the client has read its response
        elif self.conn.their_state is h11.IDLE:
            self._wait(between_requests)
        elif self.conn.their_state is h11.SEND_BODY:
            self._wait(Phase.BODY)
        else:
            self._go_on()

    def _wait(self, phase: Phase) -> None:
        """Enter a phase. More bytes of the same request do not restart its time limit."""
        if phase is self._phase and self._request is self.cycle:
            return
        self._phase, self._request = phase, self.cycle
        self._phase_began_at = time.monotonic()
        self._phase_bytes = self._phase_bytes if phase is Phase.HEAD else 0
        self._among.wait(self, self._limit_sec(phase))

    def _limit_sec(self, phase: Phase) -> float:
        match phase:
            case Phase.IDLE:
                return self._limits.idle_sec
            case Phase.HEAD:
                return self._limits.head_sec
            case Phase.BODY:
                return self._limits.body_sec
            case Phase.ANSWER:
                return ANSWER_SEC
            case Phase.END:
                return LINGER_SEC

    def _go_on(self) -> None:
        self._phase, self._phase_bytes = None, 0
        self._among.go_on(self)

    def _close(self) -> None:
        """Close the connection at once: with an unread response, `close` would wait for the client to read it."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse invalid HTTP. uvicorn calls this while it handles the exception from h11."""
        hint = getattr(sys.exception(), "error_status_hint", None)
        if hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            self._refuse(HeadTooLarge("The request line and the headers are too long; send fewer or shorter headers."))
        else:
            self._refuse(MalformedRequest("This is not a valid HTTP/1.1 request; check the client and any proxy."))

    def _refuse(self, refusal: BatchscribeError, *, lingers: bool = True) -> None:
        """Send an error response, regardless of what the client has sent so far, and end the connection.

        With `lingers`, the server waits up to `LINGER_SEC` for the client to close the connection. Closing it at once
        with unread data would reset it, and the refusal would be lost.
        """
        if self.cycle is not None:
            self.cycle.disconnected = True  # the application receives no more of this request
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # another response has started or is complete
            return
        status = status_of(refusal)
        self.transport.write(self._refusal_bytes(refusal, status))
        count_request(OTHER, None, status, time.monotonic() - self._phase_began_at)
        self._wait(Phase.END)
        if lingers:
            self._end_sending()
        else:
            self.transport.close()

    def _end_sending(self) -> None:
        try:
            self.transport.write_eof()
        except OSError:  # the client has reset the connection after the last write
            self.transport.abort()

    def _refusal_bytes(self, refusal: BatchscribeError, status: HTTPStatus) -> bytes:
        body = json.dumps(body_of(refusal)).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            TRACKING_HEADER: uuid.uuid4().hex,
            **headers_of(refusal),
        }
        fields = [*self.server_state.default_headers, *((n.encode(), v.encode()) for n, v in headers.items())]
        response = h11.Response(status_code=status, headers=fields, reason=STATUS_PHRASES[status])
        events = (response, h11.Data(data=body), h11.EndOfMessage())
        return b"".join(self.conn.send(event) or b"" for event in events)
