"""When traces are on, what the log says if they cannot be, and what is imported while they are off."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from structlog.testing import capture_logs

from batchscribe.tracing import spans
from batchscribe.tracing.exporting import start_tracing, stop_tracing
from batchscribe.tracing.span_recorder import RootIds
from batchscribe.window import Window
from tests.otlp_receiver import receiving

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
NOWHERE = "http://127.0.0.1:9"
#: As if the extra were not installed.
WITHOUT_SDK = "import sys; sys.modules['opentelemetry.sdk'] = None; sys.modules['opentelemetry.exporter'] = None; "


def start() -> tuple[bool, list[str]]:
    """Start and stop tracing. Returns whether it was on, and the reasons for which it was not."""
    with capture_logs() as lines:
        start_tracing("worker-1")
    is_on = spans.queue_call() is not None
    stop_tracing()
    return is_on, [line["reason"] for line in lines if line["event"] == "tracing.off"]


def test_nothing_is_traced_without_an_endpoint() -> None:
    assert start() == (False, [])


@pytest.mark.parametrize("name", [ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_an_endpoint_turns_traces_on(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, NOWHERE)
    assert start() == (True, [])


@pytest.mark.parametrize(("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")])
def test_the_standard_variables_turn_traces_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(ENDPOINT, NOWHERE)
    monkeypatch.setenv(name, value)
    assert start() == (False, [])


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
)
def test_what_is_not_supported_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(ENDPOINT, NOWHERE)
    monkeypatch.setenv(name, value)
    is_on, [reason] = start()
    assert not is_on
    assert name in reason
    assert value in reason


def test_a_value_that_the_sdk_refuses_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, NOWHERE)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")  # smaller than a batch
    is_on, [reason] = start()
    assert not is_on
    assert reason.startswith("An OTEL_* variable is not valid: ")


def run(code: str) -> str:
    """Run code in a new Python. Returns what it printed."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_without_the_extra_a_configured_endpoint_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, NOWHERE)
    told = run(WITHOUT_SDK + "from batchscribe.tracing.exporting import start_tracing; start_tracing('w')")
    assert "pip install 'batchscribe[otel]'" in told


def test_the_worker_needs_no_extra_and_imports_nothing_of_it() -> None:
    code = "import batchscribe.worker.worker, sys; from batchscribe.tracing.exporting import start_tracing; "
    code += (
        "start_tracing('w'); print([n for n in sys.modules if n.startswith(('opentelemetry.sdk', 'opentelemetry.ex'))])"
    )
    assert run(code) == "[]\n"
    run(WITHOUT_SDK + "import batchscribe.worker.worker")


def test_a_key_always_has_the_same_trace() -> None:
    assert RootIds.of("job_1/f_000001/0") == RootIds.of("job_1/f_000001/0")
    assert RootIds.of("job_1/f_000001/0") != RootIds.of("job_1/f_000001/1")


def test_a_window_that_is_sent_again_has_waited_since_its_last_call(monkeypatch: pytest.MonkeyPatch) -> None:

    window = Window(0, 0.0, np.zeros(16_000, dtype=np.float32))
    with receiving() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url)
        start_tracing("worker-1")
        with spans.trace("key"):
            queued = spans.queue_call()
        spans.record_call(queued, window, 0.0)
        spans.record_call(queued, window, 0.0)
        stop_tracing()
    waits = [each.span for each in receiver.spans if each.name == "engine.wait"]
    calls = [each.span for each in receiver.spans if each.name == "engine.call"]
    assert len(waits) == len(calls) == 2
    assert waits[1].start_time_unix_nano == calls[0].end_time_unix_nano
