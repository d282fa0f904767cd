"""The variable TRACEPARENT: the traces of the files of a command, or of the job that it submits, link to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.command import QUICK, Command
from tests.integration.server import serving
from tests.otlp_receiver import Receiver, receiving
from tests.recordings import write_wav

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def command(database: str, tmp_path: Path, receiver: Receiver) -> Command:
    """On each database, which its environment names."""
    write_wav(tmp_path / "calls" / "a.wav")
    return Command(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "TRACEPARENT": TRACEPARENT})


def links_of(receiver: Receiver) -> list[tuple[str, str]]:
    span = receiver.wait_for("file").span
    assert span.trace_id.hex() != TRACE_ID, "each file has its own trace"
    return [(link.trace_id.hex(), link.span_id.hex()) for link in span.links]


def test_transcribe_links_to_it(command: Command, receiver: Receiver) -> None:
    assert command.transcribe("calls", "--output", "out").status == 0
    assert links_of(receiver) == [(TRACE_ID, SPAN_ID)]


def test_watch_links_to_it(command: Command, receiver: Receiver) -> None:
    assert command.run("watch", "calls", "--once", "--settle", "0", *QUICK).status == 0
    assert links_of(receiver) == [(TRACE_ID, SPAN_ID)]


@pytest.mark.parametrize("malformed", ["", "00-garbage", f"{TRACEPARENT}\n", "ff" + TRACEPARENT[2:], "x" * 5000])
def test_a_malformed_one_is_ignored(command: Command, receiver: Receiver, malformed: str) -> None:
    command.environment["TRACEPARENT"] = malformed
    done = command.transcribe("calls", "--output", "out")
    assert (done.status, "TRACEPARENT" in done.err) == (0, False), done
    assert links_of(receiver) == []


@pytest.mark.parametrize(("sent", "links"), [(TRACEPARENT, [(TRACE_ID, SPAN_ID)]), ("00-garbage\n", [])])
def test_submit_sends_it_to_the_server(
    command: Command, receiver: Receiver, sent: str, links: list[tuple[str, str]]
) -> None:
    settings = {"BATCHSCRIBE_AUTH": "off", "BATCHSCRIBE_ENGINE": "scripted", "OTEL_BSP_SCHEDULE_DELAY": "20"}
    served = command.environment | settings | {"BATCHSCRIBE_FILE_ROOTS": str(command.folder), "TRACEPARENT": ""}
    with serving(replace(command, environment=served)) as server:
        command.environment["TRACEPARENT"] = sent
        uris = [(command.folder / name).as_uri() for name in ("calls/", "out/")]
        words = (uris[0], "--output", uris[1], "--segmentation", "none", "--server", server.url)
        done = command.run("jobs", "submit", *words, "--wait")
        assert done.status == 0, done
        assert links_of(receiver) == links
