"""`batchscribe search` in a data directory and at a server: hits, no hits, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchscribe.wire.answers import HitAnswer
from tests.integration.command import Command
from tests.integration.server import serving
from tests.recordings import write_wav


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path, {"BATCHSCRIBE_AUTH": "off"})


@pytest.fixture
def done(command: Command) -> Command:
    """Two recordings were transcribed: their text is that of the scripted engine."""
    for name in ("a", "b"):  # one after the other, because the latest transcript is found first
        write_wav(command.folder / "calls" / f"{name}.wav", duration_sec=4.0)
        assert command.transcribe("calls", "--output", "out/").status == 0
    return command


def test_a_local_search_shows_file_time_and_marked_text(done: Command) -> None:
    shown = done.run("search", "quick", "bro*")
    assert shown.status == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[0].startswith("calls/b.wav  (job_")
    assert lines[1].startswith("  0:00:00  ")
    assert "[quick] [brown] fox" in lines[1]
    assert [line.split()[0] for line in lines[::2]] == ["calls/b.wav", "calls/a.wav"]


def test_json_has_the_fields_of_the_http_interface(done: Command) -> None:
    hits = json.loads(done.run("search", "fox", "--json", "--limit", "1").out)["hits"]
    assert len(hits) == 1
    hit = HitAnswer.model_validate(hits[0])
    assert [hit.text[start:end] for start, end in hit.matches] == ["fox"]


def test_no_hits_are_said_and_are_no_failure(done: Command) -> None:
    shown = done.run("search", "refund")
    assert (shown.status, shown.out) == (0, "")
    assert "Nothing found for refund." in shown.err


def test_a_server_finds_the_same(done: Command) -> None:
    local = done.run("search", "fox").out
    with serving(done) as server:
        assert done.run("search", "fox", "--server", server.url).out == local
        refused = done.run("search", '"fox', "--server", server.url)
    assert (refused.status, refused.out) == (2, "")
    assert "is not closed" in refused.err


def test_a_wrong_query_is_refused(done: Command) -> None:
    refused = done.run("search", "?!")
    assert (refused.status, refused.out) == (2, "")
    assert "no letter or digit" in refused.err


def test_with_search_off_nothing_is_stored_and_the_setting_is_named(command: Command) -> None:
    off = Command(command.folder, {**command.environment, "BATCHSCRIBE_SEARCH": "off"})
    write_wav(off.folder / "calls" / "a.wav", duration_sec=4.0)
    assert off.transcribe("calls", "--output", "out/").status == 0
    refused = off.run("search", "fox")
    assert refused.status == 2
    assert "BATCHSCRIBE_SEARCH" in refused.err
    assert command.run("search", "fox").out == ""
