"""Turns traces on if the standard variables of OpenTelemetry ask for them, and off when the worker stops.

The SDK reads most of the variables itself: headers, certificates, timeouts, sampling, the service's name.
"""

from __future__ import annotations

import os

import structlog

from batchscribe.tracing.spans import record_with

log = structlog.get_logger()

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
EXPORTER, PROTOCOL = "otlp", "http/protobuf"  #: the only ones


def start_tracing(worker: str) -> None:
    """Send traces if the environment names an endpoint. If that is impossible, log why; the work continues."""
    if not _is_asked_for():
        return
    if (unusable := _find_unusable()) is not None:
        log.warning("tracing.off", reason=unusable)
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from batchscribe.tracing.span_recorder import SpanRecorder
    except ImportError as error:
        missing = f"OpenTelemetry is not installed ({error.name}). Run: pip install 'batchscribe[otel]'"
        log.warning("tracing.off", reason=missing)
        return
    try:
        recorder = SpanRecorder(BatchSpanProcessor(OTLPSpanExporter()), worker)
    except (OSError, ValueError) as error:
        log.warning("tracing.off", reason=f"An OTEL_* variable is not valid: {error}")
        return
    record_with(recorder)


def stop_tracing() -> None:
    """Send the remaining spans, for a few seconds at most."""
    recorder = record_with(None)
    if recorder is not None:
        recorder.close()


def _is_asked_for() -> bool:
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not is_disabled and _first_of(ENDPOINTS) != "" and _first_of(("OTEL_TRACES_EXPORTER",)) != "none"


def _find_unusable() -> str | None:
    """Return a sentence about a variable that asks for what batchscribe cannot do."""
    for names, only in ((("OTEL_TRACES_EXPORTER",), EXPORTER), (PROTOCOLS, PROTOCOL)):
        if _first_of(names) not in ("", only):
            return f"{' or '.join(names)} is {_first_of(names)!r}; batchscribe supports only {only!r}."
    return None


def _first_of(names: tuple[str, ...]) -> str:
    """Return the value of the first of these variables that is set, or an empty text."""
    return next((value for name in names if (value := os.environ.get(name, "").strip())), "")
