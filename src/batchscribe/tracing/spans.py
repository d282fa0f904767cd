"""Spans of the file in this thread. While traces are off, nothing here has an effect.

Attributes never contain text of a recording, credentials, or messages of errors, which may quote a URI.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from batchscribe.window import Window

#: The values of a span's attributes.
Value = str | int | float | bool


@dataclass(slots=True)
class QueuedCall:
    """A window that waits for an engine, and the span that its spans will belong to."""

    parent: object
    since_ns: int = field(default_factory=time.time_ns)


class Recorder(Protocol):
    """What records spans; see `span_recorder.py`."""

    def trace(self, key: str) -> AbstractContextManager[str]: ...

    def span(self, name: str, attributes: Mapping[str, Value], *, is_current: bool) -> AbstractContextManager[None]: ...

    def add_event(self, name: str, attributes: Mapping[str, Value]) -> None: ...

    def current(self) -> object: ...

    def record(
        self, name: str, parent: object, began_ns: int, ended_ns: int, attributes: Mapping[str, Value]
    ) -> None: ...

    def end_trace(
        self, key: str, name: str, began_ns: int, attributes: Mapping[str, Value], error: str, traceparent: str
    ) -> None: ...

    def close(self) -> None: ...


class _Switch:
    """Where spans of this process go, if anywhere."""

    recorder: Recorder | None = None


def record_with(recorder: Recorder | None) -> Recorder | None:
    """Record spans with this from now on; with None, record none. Returns what recorded them before."""
    before, _Switch.recorder = _Switch.recorder, recorder
    return before


@contextmanager
def trace(key: str) -> Iterator[str | None]:
    """Let the spans of the block be part of the trace with this key. Yields its ID; None while traces are off.

    A key always has the same trace, in every process.
    """
    recorder = _Switch.recorder
    with nullcontext() if recorder is None else recorder.trace(key) as trace_id:
        yield trace_id


def end_trace(
    key: str, name: str, began_ns: int, attributes: Mapping[str, Value], error: str = "", traceparent: str = ""
) -> None:
    """Record the root span of a trace, which ends now. `error` is a code, empty after success.

    The span links to the one that `traceparent` names (W3C trace context). A malformed one is ignored.
    """
    if _Switch.recorder is not None:
        _Switch.recorder.end_trace(key, name, began_ns, attributes, error, traceparent)


@contextmanager
def span(name: str, attributes: Mapping[str, Value] | None = None, *, is_current: bool = True) -> Iterator[None]:
    """Record the block as a span. Spans inside it become its children only if `is_current`."""
    recorder = _Switch.recorder
    with nullcontext() if recorder is None else recorder.span(name, attributes or {}, is_current=is_current):
        yield


def add_event(name: str, attributes: Mapping[str, Value]) -> None:
    """Add an event to the current span."""
    if _Switch.recorder is not None:
        _Switch.recorder.add_event(name, attributes)


def queue_call() -> QueuedCall | None:
    """Return a call for an engine that starts to wait now, for the file in this thread; None while traces are off."""
    return None if _Switch.recorder is None else QueuedCall(_Switch.recorder.current())


def record_call(queued: QueuedCall | None, window: Window, took_sec: float, batch_size: int = 1) -> None:
    """Record a call of an engine that ends now, and how long its window waited before. Thread-safe.

    The windows of a batch share one call, and each of them has a span for it.
    """
    recorder = _Switch.recorder
    if recorder is None or queued is None:
        return
    attributes = {
        "batchscribe.window.channel": window.channel,
        "batchscribe.window.start_sec": window.start_sec,
        "batchscribe.window.duration_sec": window.duration_sec,
        "batchscribe.batch_size": batch_size,
    }
    ended_ns = time.time_ns()
    began_ns = max(queued.since_ns, ended_ns - int(took_sec * 1e9))
    recorder.record("engine.wait", queued.parent, queued.since_ns, began_ns, attributes)
    recorder.record("engine.call", queued.parent, began_ns, ended_ns, attributes)
    queued.since_ns = ended_ns  # if the window is sent again, it has waited since then
