"""`make bench-long` on recordings of a minute."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.long import cancel, growth, resume, speedup
from benchmarks.long.ledger import Ledger, total_sec
from benchmarks.long.subject import Subject
from benchmarks.recordings import samples_of
from benchmarks.report import Figure

from batchscribe.window import SAMPLE_RATE

MINUTE = Subject("scripted", None, "mp3", hours=1 / 60, minutes=1.0)


def value_of(figures: Sequence[Figure], name: str) -> float:
    """The number of the only figure whose name begins like this."""
    (found,) = [figure for figure in figures if figure.name.startswith(name)]
    number = re.match(r"[\d.]+", found.value)
    assert number, found
    return float(number[0])


@pytest.mark.parametrize("form", ["mp3", "wav"])
def test_a_generated_recording_has_its_length(form: str, tmp_path: Path) -> None:
    subject = Subject("scripted", None, form, hours=1.0, minutes=1.0)
    samples = samples_of(subject.write_recording(tmp_path, 601.0))
    assert len(samples) / SAMPLE_RATE == pytest.approx(601.0, abs=0.1)
    assert abs(samples[-SAMPLE_RATE * 60 :]).max() > 1000


def test_memory_and_cpu_are_those_of_the_processes_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "SHORT_SEC", 30.0)
    figures = growth.measure(MINUTE)
    assert 100 < value_of(figures, "peak memory of all processes, 1 min") < 1000
    assert 0.5 < value_of(figures, "peak memory, 1 min : 0.5 min") < 2
    by_kind = [figure for figure in figures if figure.name.startswith("of it")]
    assert len(by_kind) == 16
    assert all(re.match("[1-9]|0.[1-9]", figure.value) for figure in by_kind), by_kind  # each kind of process was seen


def test_the_speech_that_is_done_again_after_a_kill_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "KILLS", 1)
    figures = resume.measure(MINUTE)
    speech_sec = value_of(figures, "speech in the recording")
    assert 50 <= speech_sec <= 60
    again_sec = value_of(figures, "speech done again after a kill, most")
    assert 0 <= value_of(figures, "of it recognized completely") <= again_sec <= speech_sec
    assert value_of(figures, "speech never given") == 0
    assert figures[-1].value == "yes"


def test_the_end_of_a_cancel_is_when_the_engines_use_no_more_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancel, "ROUNDS", 1)
    monkeypatch.setattr(cancel, "WATCHED_SEC", 4.0)
    figures = cancel.measure(MINUTE)
    assert value_of(figures, "cancel answered") < 10
    assert value_of(figures, "engines idle after a cancel, most") <= 5


def test_a_recording_is_transcribed_on_one_and_on_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speedup, "CPU_PER_AUDIO_SEC", 0.01)
    monkeypatch.setattr(speedup, "cores", lambda: [0, 1])
    assert 0.3 < value_of(speedup.measure(MINUTE), "two cores : one") < 3


def test_a_ledger_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    assert ledger.begun() == set()
    ledger.path.write_text(
        '{"at_sec":1.0,"call":0,"passages":[[0,0.0,30.0],[1,0.5,10.0]]}\n'
        '{"at_sec":1.1,"call":1,"passages":[[0,30.0,5.0]]}\n'
        '{"at_sec":2.0,"call":0,"passages":null}\n'
        '{"at_sec":2.1,"ca'
    )
    assert total_sec(ledger.begun()) == 45.0
    assert ledger.ended() == {(0, 0.0, 30.0), (1, 0.5, 10.0)}
    assert ledger.count_calls() == 2
