"""Records spans with the OpenTelemetry SDK, in a provider of our own: libraries that trace globally are not affected.

Imported only if traces are on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import NamedTuple

from opentelemetry import context as contexts
from opentelemetry import trace as api
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from batchscribe import __version__
from batchscribe.errors import BatchscribeError, WorkInterrupted
from batchscribe.tracing.spans import Value

#: The longest time that a process waits at its end for spans to be sent.
STOP_SEC = 5.0


class RootIds(NamedTuple):
    """The IDs of a trace and its root span, which follow from the trace's key."""

    trace_id: int
    span_id: int

    @classmethod
    def of(cls, key: str) -> RootIds:
        digest = sha256(key.encode()).digest()
        return cls(int.from_bytes(digest[:16]), int.from_bytes(digest[16:24]))


_root_ids: ContextVar[RootIds | None] = ContextVar("root_ids", default=None)


class KnownIds(RandomIdGenerator):
    """Random IDs, but for the root span that is being recorded."""

    def generate_trace_id(self) -> int:
        root = _root_ids.get()
        return super().generate_trace_id() if root is None else root.trace_id

    def generate_span_id(self) -> int:
        root = _root_ids.get()
        return super().generate_span_id() if root is None else root.span_id


class SpanRecorder:
    """Records spans and gives them to a processor. Thread-safe."""

    def __init__(self, processor: SpanProcessor, worker: str) -> None:
        self._provider = TracerProvider(
            resource=_describe_process(worker), id_generator=KnownIds(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("batchscribe", __version__)

    @contextmanager
    def trace(self, key: str) -> Iterator[str]:
        """Make the root span the parent, though it is recorded at the end, and perhaps by another process."""
        root = RootIds.of(key)
        decision = self._provider.sampler.should_sample(None, root.trace_id, "file").decision
        is_sampled = decision is Decision.RECORD_AND_SAMPLE
        flags = api.TraceFlags(api.TraceFlags.SAMPLED if is_sampled else api.TraceFlags.DEFAULT)
        parent = api.NonRecordingSpan(api.SpanContext(root.trace_id, root.span_id, is_remote=True, trace_flags=flags))
        token = contexts.attach(api.set_span_in_context(parent, contexts.Context()))
        try:
            yield api.format_trace_id(root.trace_id)
        finally:
            contexts.detach(token)

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Value], *, is_current: bool) -> Iterator[None]:
        opened = self._tracer.start_span(name, attributes=attributes)
        token = contexts.attach(api.set_span_in_context(opened)) if is_current else None
        try:
            yield
        except BaseException as error:
            _mark_ended(opened, error)
            raise
        finally:
            if token is not None:
                contexts.detach(token)
            opened.end()

    def add_event(self, name: str, attributes: Mapping[str, Value]) -> None:
        api.get_current_span().add_event(name, attributes)

    def current(self) -> object:
        return contexts.get_current()

    def record(self, name: str, parent: object, began_ns: int, ended_ns: int, attributes: Mapping[str, Value]) -> None:
        if isinstance(parent, contexts.Context) and api.get_current_span(parent).get_span_context().is_valid:
            self._tracer.start_span(name, parent, attributes=attributes, start_time=began_ns).end(ended_ns)

    def end_trace(
        self, key: str, name: str, began_ns: int, attributes: Mapping[str, Value], error: str, traceparent: str
    ) -> None:
        token, links = _root_ids.set(RootIds.of(key)), _links_to(traceparent)
        try:
            root = self._tracer.start_span(
                name, contexts.Context(), attributes=attributes, start_time=began_ns, links=links
            )
        finally:
            _root_ids.reset(token)
        if error:
            _mark_failed(root, error)
        root.end()

    def close(self) -> None:
        """Send what is left. Waits for at most `STOP_SEC`: the receiver may not respond."""
        closing = threading.Thread(target=self._provider.shutdown, name="tracing-stop", daemon=True)
        closing.start()
        closing.join(STOP_SEC)


def _links_to(traceparent: str) -> list[api.Link]:
    """Return a link to the span that the header names; none if it is malformed."""
    remote = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, contexts.Context())
    found = api.get_current_span(remote).get_span_context()
    return [api.Link(found)] if found.is_valid else []


def _mark_ended(span: api.Span, error: BaseException) -> None:
    """Mark a span that an error ended. Work that will be continued, or is no longer wanted, has not failed."""
    if isinstance(error, WorkInterrupted):
        span.set_attribute("batchscribe.interrupted", True)
    else:
        name = type(error).__name__
        _mark_failed(span, getattr(error, "code", name) if isinstance(error, BatchscribeError) else name)


def _mark_failed(span: api.Span, code: str) -> None:
    span.set_attribute("error.type", code)
    span.set_status(api.StatusCode.ERROR, code)


def _describe_process(worker: str) -> Resource:
    """Return the resource, in which `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` count."""
    resource = Resource({"service.version": __version__, "service.instance.id": worker}).merge(Resource.create())
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "batchscribe"}))
    return resource
