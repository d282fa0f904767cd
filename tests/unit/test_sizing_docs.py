"""docs/sizing.md against the measured costs that it is derived from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import pytest

from tests.documents import ROOT, code_blocks, table_rows

SIZING = ROOT / "docs" / "sizing.md"
ROWS = table_rows(SIZING, "## Cost of an hour of audio")
LONG, SHORT = "one recording of 8 minutes", "100 recordings of 5 s"
SPEAKER_AUDIO_SEC_PER_CPU_SEC = 75  # of docs/speakers.md


@cache
def cpu_sec_per_hour(workload: str) -> float:
    (base,) = (
        each for each in json.loads((ROOT / "docs" / "accuracy.json").read_text())["models"] if each["name"] == "base"
    )
    (found,) = (each for each in base["workloads"] if each["name"] == workload)
    return float(found["costs"]["batchscribe transcribe"]["cpu_sec"]) / float(found["audio_sec"]) * 3600


def stated(work: str) -> float:
    (cost,) = (row[1] for row in ROWS if row[0].startswith(work))
    return float(re.sub(r"[^\d.]", "", cost))


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        ("transcription with Whisper base, long", lambda: cpu_sec_per_hour(LONG)),
        ("transcription with Whisper base, recordings of 5 s", lambda: cpu_sec_per_hour(SHORT)),
        ("diarization", lambda: 3600 / SPEAKER_AUDIO_SEC_PER_CPU_SEC),
    ],
)
def test_unit_costs_are_the_measured_ones(work: str, expected: Callable[[], float]) -> None:
    assert stated(work) == pytest.approx(expected(), abs=1)


def test_the_table_of_costs_follows_from_the_unit_costs() -> None:
    for audio, core_hours, cost in ROWS[4:]:
        unit = stated("transcription with Whisper base, long") + ("diarization" in audio) * stated("diarization")
        expected = float(audio.split()[0].replace(",", "")) * unit / 3600
        assert float(core_hours.replace(",", "")) == pytest.approx(expected, rel=0.01)
        assert float(cost.strip("$")) == pytest.approx(expected * 0.04, rel=0.03)


def test_the_command_computes_a_row_of_the_table() -> None:
    (command,) = code_blocks(SIZING, "sh")
    program = command.split("'")[1]
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "7417 core hours, $297\n"
