"""The header `traceparent` of a submission: the traces of the job's files link to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.bodies import manifest
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.otlp_receiver import Receiver, receiving
from tests.recordings import write_wav

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture(scope="module")
def tracing_server(start_server: StartServer, receiver: Receiver) -> Server:
    return start_server(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_BSP_SCHEDULE_DELAY="20")


@pytest.fixture
def client(tracing_server: Server) -> Iterator[Client]:
    with client_of(tracing_server, tracing_server.new_key("alice")) as client:
        yield client


@pytest.mark.parametrize(
    ("header", "linked"),
    [
        (f"00-{TRACE_ID}-{SPAN_ID}-01", [(TRACE_ID, SPAN_ID)]),
        (f"00-{TRACE_ID}-{SPAN_ID}-00", [(TRACE_ID, SPAN_ID)]),
        (None, []),
        ("00-garbage", []),
        ("x" * 5000, []),
    ],
)
def test_the_span_of_a_file_links_to_it(
    client: Client, receiver: Receiver, recordings: Path, header: str | None, linked: list[tuple[str, str]]
) -> None:
    write_wav(recordings / "traced.wav")
    receiver.spans.clear()
    body = manifest(f"file://{recordings}/traced.wav", output=f"file://{recordings}/traced/", config={})
    body["input"]["source"] = "FILE"
    body["output"] |= {"destination": "FILE", "overwrite": True}
    answer = client.call("POST", "/jobs", 201, json=body, headers={"traceparent": header} if header else {})
    assert client.ended(answer.body["job_id"])["state"] == "SUCCEEDED"
    span = receiver.wait_for("file").span
    assert [(link.trace_id.hex(), link.span_id.hex()) for link in span.links] == linked
    assert span.trace_id.hex() != TRACE_ID
