"""The old names of `BATCHSCRIBE_ENGINE_PROCESSES` and `--engine-processes` still work, and each says its new name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from batchscribe.cli.app import app, main
from batchscribe.cli.options import read_settings
from batchscribe.errors import InvalidSetting, UsageError
from batchscribe.settings import load_settings

OLD, NEW = "BATCHSCRIBE_WORKERS", "BATCHSCRIBE_ENGINE_PROCESSES"
VARIABLE_NOTICE = f"{OLD} is now {NEW}; set {NEW}=2 instead, because the old name will go.\n"
OPTION_NOTICE = "--workers is now --engine-processes; use that, because the old name will go.\n"
#: Each command that has the option, such that it ends with an error after it has read its options.
COMMANDS = {
    "transcribe": ("transcribe", "nowhere.wav"),
    "jobs resume": ("jobs", "resume", "job_nowhere"),
    "serve": ("serve", "--host", "192.0.2.1"),
    "worker": ("worker", "--database", "nonsense"),
}
each_command = pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BATCHSCRIBE_DATA_DIR", str(tmp_path / "data"))
    for name in (OLD, NEW):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    structlog.reset_defaults()


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that fails, and return what it writes to standard error."""
    monkeypatch.setattr("sys.argv", ["batchscribe", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    return capsys.readouterr().err


def test_the_old_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD, "3")
    assert load_settings().engine_processes == 3


@pytest.mark.parametrize("name", [OLD, NEW])
def test_the_settings_file_may_use_either_name(folder: Path, name: str) -> None:
    (folder / ".env").write_text(f"{name}=3\n")
    assert load_settings().engine_processes == 3


def test_both_variables_may_be_set_if_they_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD, "3")
    monkeypatch.setenv(NEW, "3")
    assert load_settings().engine_processes == 3


def test_variables_that_contradict_each_other_are_an_error(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(OLD, "3")
    (folder / ".env").write_text(f"{NEW}=4\n")
    with pytest.raises(InvalidSetting, match=f"^{NEW} is 4, but {OLD}, its old name, means 3; remove {OLD}.$"):
        load_settings()


def test_an_invalid_value_is_an_error_that_names_the_old_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD, "0")
    with pytest.raises(InvalidSetting, match=f"^{OLD}: "):
        load_settings()


@pytest.mark.parametrize("option", ["engine_processes", "workers"])
def test_either_option_overrides_both_variables(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.setenv(OLD, "3")
    monkeypatch.setenv(NEW, "4")
    assert read_settings(data_dir=None, **{option: 5}).engine_processes == 5


def test_options_that_contradict_each_other_are_an_error() -> None:
    with pytest.raises(UsageError, match="--engine-processes is 2, but --workers, its old name, is 3; omit --workers"):
        read_settings(data_dir=None, engine_processes=2, workers=3)


@each_command
def test_the_old_option_is_accepted_with_a_notice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    without = run(monkeypatch, capsys, *words, "--engine-processes", "2")
    assert without.startswith("Error: ")
    assert run(monkeypatch, capsys, *words, "--workers", "2") == OPTION_NOTICE + without


@each_command
def test_the_old_variable_is_accepted_with_a_notice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    monkeypatch.setenv(OLD, "2")
    notice, *logged, error = run(monkeypatch, capsys, *words).splitlines(keepends=True)
    assert notice == VARIABLE_NOTICE
    assert error.startswith("Error: ")
    events = [json.loads(line) for line in logged]
    assert [event["event"] for event in events] == (["settings.renamed"] if words[0] in ("serve", "worker") else [])
    assert all(event["notices"] == [VARIABLE_NOTICE.strip()] for event in events)


@each_command
def test_both_options_with_different_values_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    said = run(monkeypatch, capsys, *words, "--workers", "2", "--engine-processes", "3")
    assert said == "Error: --engine-processes is 3, but --workers, its old name, is 2; omit --workers.\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_only_the_new_option(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"}).output
    assert "--engine-processes" in shown
    assert "--workers" not in shown
