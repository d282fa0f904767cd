"""An engine of another package in a whole job, in its confined process, installed in a folder outside Python's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.command import Command
from tests.plugin_package import LENGTHS, install_plugin
from tests.recordings import write_wav

#: Reads a file of its package after the confinement, as libraries do.
READING = LENGTHS.replace("return LengthsEngine()", "return LengthsEngine() if open(__file__).read() else None")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "talk.wav", duration_sec=3.0)


def command_with(plugins: Path, folder: Path) -> Command:
    return Command(folder, {"PYTHONPATH": str(plugins)})


def test_an_installed_engine_transcribes_a_job(tmp_path: Path, recording: Path) -> None:
    command = command_with(install_plugin(tmp_path / "site", READING), tmp_path)
    done = command.run("transcribe", str(recording), "-o", "out/", "--engine", "lengths", "--segmentation", "none")
    assert done.status == 0, done.err
    transcript = json.loads((tmp_path / "out" / "talk.json").read_text())
    assert "lengths-1" in json.dumps(transcript)
    doctor = command.run("doctor", "--json")
    assert "lengths with lengths-1" in doctor.out


def test_the_doctor_names_the_package_of_an_engine_that_cannot_be_imported(tmp_path: Path) -> None:
    command = command_with(install_plugin(tmp_path / "site", "import a_library_that_is_not_installed"), tmp_path)
    doctor = command.run("doctor")
    assert "Engine lengths of package batchscribe-lengths 1.2 cannot be used" in doctor.out.replace("\n", " ")
    assert "Upgrade or uninstall the package" in " ".join(doctor.out.split())
