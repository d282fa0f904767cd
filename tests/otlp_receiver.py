"""A receiver of OpenTelemetry traces (OTLP over HTTP) for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zlib import MAX_WBITS, decompress

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span with the attributes of the process that sent it."""

    process: dict[str, str]
    span: Span
    headers: dict[str, str]

    @property
    def name(self) -> str:
        return self.span.name


@dataclass(slots=True)
class Receiver:
    """What has arrived, and the address for `OTEL_EXPORTER_OTLP_ENDPOINT`."""

    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)

    def wait_for(self, name: str, *, within_sec: float = 60.0) -> ReceivedSpan:
        """Wait for a span with this name and return the first one."""
        deadline = time.monotonic() + within_sec
        while time.monotonic() < deadline:
            for each in list(self.spans):
                if each.name == name:
                    return each
            time.sleep(0.02)
        raise AssertionError(f"no span {name!r} among {[each.name for each in self.spans]}")


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port of this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                content = decompress(content, MAX_WBITS | 16)
            if self.path == "/v1/traces":
                receiver.spans += _read(content, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def _read(content: bytes, headers: dict[str, str]) -> list[ReceivedSpan]:
    request = ExportTraceServiceRequest.FromString(content)
    return [
        ReceivedSpan({each.key: each.value.string_value for each in group.resource.attributes}, span, headers)
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
