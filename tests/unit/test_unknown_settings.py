"""Variables that look like settings but have no effect."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from batchscribe.cli.options import read_settings
from batchscribe.doctor.settings_check import check_settings
from batchscribe.settings import Settings, load_settings
from batchscribe.unknown_settings import find_unknown_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, without settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("BATCHSCRIBE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BATCHSCRIBE_DATA_DIR", str(tmp_path / "data"))
    yield tmp_path
    structlog.reset_defaults()


def test_a_misspelled_variable_is_reported_with_the_nearest_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCHSCRIBE_RATELIMIT", "5")
    notice = "BATCHSCRIBE_RATELIMIT is not a setting, so it has no effect. Did you mean BATCHSCRIBE_RATE_LIMIT?"
    assert list(find_unknown_settings()) == [notice]
    assert load_settings().rate_limit == Settings.model_fields["rate_limit"].default


def test_a_variable_that_is_like_no_setting_is_reported_with_the_place_of_all_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BATCHSCRIBE_ZZZ", "5")
    assert list(find_unknown_settings()) == [
        "BATCHSCRIBE_ZZZ is not a setting, so it has no effect. docs/settings.md lists all settings."
    ]


def test_the_settings_file_is_checked_too(folder: Path) -> None:
    (folder / ".env").write_text("BATCHSCRIBE_GRACE_SECS=5\nOTHER=1\n")
    assert [notice.split()[0] for notice in find_unknown_settings()] == ["BATCHSCRIBE_GRACE_SECS"]


@pytest.mark.parametrize(
    "name",
    [
        "BATCHSCRIBE_LOG_LEVEL",
        "batchscribe_log_level",
        "BATCHSCRIBE_WORKERS",
        "BATCHSCRIBE_SERVICE_HOST",
        "BATCHSCRIBE_SERVICE_PORT_HTTP",
        "BATCHSCRIBE_PORT_8080_TCP_ADDR",
        "BATCHSCRIBE_SERVER_PORT",
        "BATCHSCRIBE_POSTGRES_SERVICE_HOST",
        "OTHER_SETTING",
    ],
)
def test_settings_old_names_and_service_links_of_kubernetes_are_not_reported(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert list(find_unknown_settings()) == []


def test_commands_and_the_doctor_report_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BATCHSCRIBE_FILE_ROOT", "/srv")
    settings = read_settings(data_dir=None)
    notice = "BATCHSCRIBE_FILE_ROOT is not a setting, so it has no effect. Did you mean BATCHSCRIBE_FILE_ROOTS?"
    assert capsys.readouterr().err == f"{notice}\n"
    assert notice in [check.finding for check in check_settings(settings)]
