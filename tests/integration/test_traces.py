"""One OpenTelemetry trace per file: its steps, failures, resumption by another worker, and receivers that are down."""

from __future__ import annotations

import shutil
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from structlog.testing import capture_logs

from batchscribe.jobs.source import Source, SourceKind
from batchscribe.speech.pool import EnginePool
from batchscribe.stages.finish import cancel_job
from batchscribe.tracing.span_recorder import STOP_SEC, SpanRecorder
from batchscribe.tracing.spans import record_with
from batchscribe.wire.choices import JobState
from tests.documents import ROOT, code_blocks
from tests.integration.command import wait_until
from tests.integration.flow_runner import FlowRunner, running
from tests.integration.pausing_pool import pausing_after
from tests.integration.test_checkpoints import KILLED_AFTER, LONG_SEC, NEVER, killed_after
from tests.integration.test_diarized_jobs import CALL, DIARIZED
from tests.otlp_receiver import receiving
from tests.recordings import write_wav

pytestmark = pytest.mark.usefixtures("database")

#: The trace and the span of a client.
SENT = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
STEPS = {"attempt", "open", "recognize", "decode", "engine.wait", "engine.call", "write", "commit"}


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Record the spans of the workers of a test."""
    kept = InMemorySpanExporter()
    record_with(SpanRecorder(SimpleSpanProcessor(kept), "worker-1"))
    yield kept
    record_with(None)


@pytest.fixture
def runner(tmp_path: Path, exporter: InMemorySpanExporter) -> Iterator[FlowRunner]:
    with running(tmp_path) as started:
        yield started


def by_trace(exporter: InMemorySpanExporter) -> dict[int, list[ReadableSpan]]:
    traces: dict[int, list[ReadableSpan]] = {}
    for span in exporter.get_finished_spans():
        assert span.context is not None
        traces.setdefault(span.context.trace_id, []).append(span)
    return traces


def root_of(trace: list[ReadableSpan]) -> ReadableSpan:
    [root] = [span for span in trace if span.parent is None]
    return root


def parents(trace: list[ReadableSpan]) -> dict[str, str]:
    """Return the name of each span's parent."""
    names = {span.context.span_id: span.name for span in trace if span.context}
    return {span.name: names[span.parent.span_id] for span in trace if span.parent}


def documented_parents() -> dict[str, str]:
    """Return what `docs/monitoring.md` shows as a tree."""
    (tree,) = code_blocks(ROOT / "docs" / "monitoring.md", "")
    found: dict[str, str] = {}
    above: list[str] = []
    for line in tree.splitlines():
        name = line.split()[0]
        del above[(len(line) - len(line.lstrip())) // 2 :]
        if above:
            found[name] = above[-1]
        above.append(name)
    return found


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_each_file_has_one_trace_with_its_steps(runner: FlowRunner, exporter: InMemorySpanExporter) -> None:
    for name in ("a", "b"):
        write_wav(runner.folder / "calls" / f"{name}.wav", duration_sec=2.0)
    job = runner.run()
    traces = list(by_trace(exporter).values())
    assert len(traces) == 2
    for trace in traces:
        assert parents(trace) | {"diarize": "recognize"} == documented_parents()
    roots = sorted((attributes(root_of(trace)) for trace in traces), key=lambda each: str(each["batchscribe.file.id"]))
    first = roots[0]
    assert first.pop("batchscribe.compute_sec")
    assert first == {
        "batchscribe.job.id": job.job_id,
        "batchscribe.file.id": "f_000001",
        "batchscribe.tenant": "default",
        "batchscribe.engine": "scripted",
        "batchscribe.model": job.model,
        "batchscribe.input_uri": (runner.folder / "calls" / "a.wav").as_uri(),
        "batchscribe.size_bytes": (runner.folder / "calls" / "a.wav").stat().st_size,
        "batchscribe.bytes_read": first["batchscribe.bytes_read"],
        "batchscribe.attempts": 1,
        "batchscribe.outcome": "FILE_SUCCEEDED",
        "batchscribe.audio_sec": 2.0,
    }
    assert roots[1]["batchscribe.file.id"] == "f_000002"


def links(trace: list[ReadableSpan]) -> dict[str, list[tuple[str, str]]]:
    """Return the trace and the span of each link, by the name of the span that has it."""
    return {
        span.name: [(f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") for link in span.links]
        for span in trace
        if span.links
    }


def test_the_trace_links_to_the_request_that_submitted_the_job(
    runner: FlowRunner, exporter: InMemorySpanExporter
) -> None:
    for name in ("a", "b"):
        write_wav(runner.folder / "calls" / f"{name}.wav", duration_sec=2.0)
    runner.run(traceparent=f"00-{SENT[0]}-{SENT[1]}-01")
    traces = by_trace(exporter)
    assert [links(trace) for trace in traces.values()] == [{"file": [SENT]}] * 2
    assert int(SENT[0], 16) not in traces


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "00",
        f"00-{'0' * 32}-{SENT[1]}-01",
        f"00-{SENT[0]}-{'0' * 16}-01",
        f"ff-{SENT[0]}-{SENT[1]}-01",
        f"00-{SENT[0].upper()}-{SENT[1]}-01-more",
        "x" * 128,
    ],
)
def test_a_malformed_header_is_ignored(runner: FlowRunner, exporter: InMemorySpanExporter, malformed: str) -> None:
    write_wav(runner.folder / "calls" / "a.wav", duration_sec=2.0)
    assert runner.run(traceparent=malformed).state is JobState.SUCCEEDED
    [trace] = by_trace(exporter).values()
    assert links(trace) == {}


def test_diarization_is_part_of_the_trace(
    tmp_path: Path, exporter: InMemorySpanExporter, speaker_models: Path, examples: Path
) -> None:
    models = tmp_path / "data" / "models"
    models.mkdir(parents=True)
    (models / speaker_models.name).symlink_to(speaker_models)
    (tmp_path / "calls").mkdir()
    shutil.copy(examples / CALL, tmp_path / "calls")
    with running(tmp_path) as runner:
        runner.run(config=DIARIZED)
    [trace] = by_trace(exporter).values()
    assert parents(trace) == documented_parents()


def test_spans_lie_within_their_file(runner: FlowRunner, exporter: InMemorySpanExporter) -> None:
    write_wav(runner.folder / "calls" / "a.wav", duration_sec=2.0)
    runner.run()
    [trace] = by_trace(exporter).values()
    root = root_of(trace)
    for span in trace:
        assert span.start_time
        assert span.end_time
        assert root.start_time
        assert root.end_time
        assert root.start_time <= span.start_time <= span.end_time <= root.end_time, span.name


def test_no_span_has_text_of_the_recording(runner: FlowRunner, exporter: InMemorySpanExporter) -> None:
    write_wav(runner.folder / "calls" / "a.wav", duration_sec=2.0)
    runner.run()
    text = runner.outputs()["a.json"]["result"]["text_display"]
    spans = " ".join(span.to_json() for span in exporter.get_finished_spans())
    assert "a.wav" in spans
    assert text
    assert text not in spans


def test_no_span_has_a_signature(tmp_path: Path, exporter: InMemorySpanExporter) -> None:
    uri = "https://127.0.0.1:9/calls/a.wav?X-Amz-Signature=secret"  # nothing listens there
    with running(tmp_path, input_allow_networks="127.0.0.1/32", max_attempts=1) as runner:
        job = runner.run(sources=(Source(SourceKind.FILE, uri),))
    assert job.state is JobState.FAILED
    [trace] = by_trace(exporter).values()
    assert attributes(root_of(trace))["batchscribe.input_uri"] == "https://127.0.0.1:9/calls/a.wav"
    spans = " ".join(span.to_json() for span in exporter.get_finished_spans())
    assert "secret" not in spans


def test_engine_processes_have_their_calls_in_the_trace(tmp_path: Path, exporter: InMemorySpanExporter) -> None:
    write_wav(tmp_path / "calls" / "a.wav", duration_sec=70.0)
    with running(tmp_path, make_pool=lambda spec, processes: EnginePool(spec, processes)) as runner:
        runner.run()
    [trace] = by_trace(exporter).values()
    calls = [attributes(span) for span in trace if span.name == "engine.call"]
    starts = sorted(float(str(each["batchscribe.window.start_sec"])) for each in calls)
    assert len(starts) == sum(span.name == "engine.wait" for span in trace) >= 3
    assert starts[0] == 0.0
    assert len(set(starts)) == len(starts)


def test_a_file_that_fails_shows_where_and_why(runner: FlowRunner, exporter: InMemorySpanExporter) -> None:
    (runner.folder / "calls").mkdir()
    (runner.folder / "calls" / "a.wav").write_text("this is not a recording")
    runner.run()
    [trace] = by_trace(exporter).values()
    failed = {
        span.name: attributes(span)["error.type"] for span in trace if span.status.status_code is StatusCode.ERROR
    }
    assert failed == {
        "file": "UNSUPPORTED_MEDIA",
        "recognize": "UNSUPPORTED_MEDIA",
        "decode": "UNSUPPORTED_MEDIA",
    }
    assert attributes(root_of(trace))["batchscribe.outcome"] == "FILE_FAILED"


def test_a_file_of_a_canceled_job_has_its_root_span(tmp_path: Path, exporter: InMemorySpanExporter) -> None:
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=LONG_SEC)
    with running(tmp_path, make_pool=pausing_after(1)) as runner:
        job = runner.submit()
        wait_until(lambda: any(span.name == "engine.call" for span in exporter.get_finished_spans()))
        cancel_job(job, runner.records)
        wait_until(lambda: any(span.name == "file" for span in exporter.get_finished_spans()))
    [trace] = by_trace(exporter).values()
    assert attributes(root_of(trace))["batchscribe.outcome"] == "FILE_CANCELED"
    assert {span.name for span in trace if "batchscribe.interrupted" in attributes(span)} >= {"attempt", "recognize"}
    assert not [span.name for span in trace if span.status.status_code is StatusCode.ERROR]


def test_lines_of_the_log_name_the_trace(runner: FlowRunner, exporter: InMemorySpanExporter) -> None:
    write_wav(runner.folder / "calls" / "a.wav")
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        runner.run()
    [trace_id] = by_trace(exporter)
    assert [line["trace_id"] for line in lines if line["event"] == "file.done"] == [f"{trace_id:032x}"]


def test_a_file_resumed_by_another_worker_continues_its_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(tmp_path / "calls" / "long.wav", duration_sec=LONG_SEC)
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        assert killed_after(tmp_path, KILLED_AFTER, when=lambda: bool(receiver.spans))
        assert not killed_after(tmp_path, NEVER)
        root = receiver.wait_for("file")
    assert {each.span.trace_id for each in receiver.spans} == {root.span.trace_id}
    assert len({each.process["service.instance.id"] for each in receiver.spans}) == 2
    assert Counter(each.name for each in receiver.spans)["file"] == 1
    attempts = [each.span for each in receiver.spans if each.name == "attempt"]
    assert {span.parent_span_id for span in attempts} == {root.span.span_id}
    assert all(root.span.start_time_unix_nano <= each.span.start_time_unix_nano for each in receiver.spans)
    [event] = [event for each in receiver.spans for event in each.span.events]
    assert event.name == "checkpoint.resumed"
    assert event.attributes[0].value.int_value > 0


def test_a_receiver_gets_all_spans_with_the_standard_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        with running(tmp_path) as runner:
            runner.run()
        received = list(receiver.spans)  # stopping has sent them
    assert {each.name for each in received} == {"file", *STEPS}
    assert received[0].headers["authorization"] == "Bearer abc"
    assert received[0].process["service.name"] == "batchscribe"
    assert received[0].process["deployment.environment"] == "test"


@pytest.mark.parametrize("ratio", ["0", "1"])
def test_sampling_keeps_or_drops_whole_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ratio: str) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", ratio)
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        with running(tmp_path) as runner:
            runner.run()
    assert {each.name for each in receiver.spans} == ({"file", *STEPS} if ratio == "1" else set())


@pytest.mark.parametrize("is_listening", [True, False])
def test_a_receiver_that_is_down_delays_only_the_end_and_only_briefly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_listening: bool
) -> None:
    write_wav(tmp_path / "calls" / "a.wav")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if is_listening:
            silent.listen()  # accepts connections and never answers
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with running(tmp_path) as runner:
            assert runner.run().state is JobState.SUCCEEDED
            before = time.monotonic()
        assert time.monotonic() - before < STOP_SEC + 25.0
    assert runner.outputs()["a.json"]["result"]["text_display"]
