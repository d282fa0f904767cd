"""What `batchscribe doctor` says about diarization."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchscribe.check import CheckResult
from batchscribe.doctor.speakers_check import check_speakers
from batchscribe.models.pull import pull_model
from batchscribe.settings import Settings, load_settings
from batchscribe.speakers.speaker_format import NAME, SEGMENTATION
from tests.models.carriers import flipped
from tests.models.speakers import random_speakers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "data")


def install(settings: Settings, tmp_path: Path) -> Path:
    published = tmp_path / "published"
    return pull_model(NAME, settings, [random_speakers(published)], source=str(published)).path


def test_without_the_models_it_names_the_next_step(settings: Settings) -> None:
    check = check_speakers(settings, load=True)
    assert check.verdict is CheckResult.OK
    assert "jobs with diarization are refused; `batchscribe models pull speakers`" in check.finding


@pytest.mark.parametrize(
    ("load", "finding"), [(False, "installed and unchanged"), (True, "diarized a trial recording")]
)
def test_installed_models_are_checked_and_tried(settings: Settings, tmp_path: Path, load: bool, finding: str) -> None:
    install(settings, tmp_path)
    check = check_speakers(settings, load=load)
    assert (check.verdict, check.advice) == (CheckResult.OK, "")
    assert finding in check.finding


@pytest.mark.parametrize(
    ("harm", "finding", "advice"),
    [
        (lambda model: model.write_bytes(flipped(model.read_bytes())), "damaged", "`batchscribe models pull speakers`"),
        (lambda model: (model.unlink(), model.mkdir()), "not installed", ""),
    ],
)
def test_changed_models_are_named_with_the_next_step(
    settings: Settings, tmp_path: Path, harm: Callable[[Path], object], finding: str, advice: str
) -> None:
    harm(install(settings, tmp_path) / SEGMENTATION)
    check = check_speakers(settings, load=False)
    assert finding in check.finding
    assert advice in check.advice
