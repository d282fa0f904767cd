"""Invalid commands end with status 2 and one sentence, before anything is done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from batchscribe.cli.app import main
from batchscribe.worker.data_directory import lock_data_directory
from tests.recordings import write_wav


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with `call.wav` and a data directory."""
    write_wav(tmp_path / "call.wav")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BATCHSCRIBE_DATA_DIR", str(tmp_path / "data"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    structlog.reset_defaults()


def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return standard error of the command."""
    monkeypatch.setattr("sys.argv", ["batchscribe", *words])
    with pytest.raises(SystemExit) as end:
        main()
    told = capsys.readouterr()
    assert end.value.code == 2, told
    assert told.out == ""
    assert not Path("call.json").exists()
    return told.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.wav"], "Error: nowhere.wav does not exist"),
        (["call.wav", "--language", "tlh"], "Error: Language 'tlh' is not supported by"),
        (["call.wav", "--engine", "scripted", "--language", "de-DE"], "supported: en"),
        (["call.wav", "--language", ""], "Error: --language must not be empty"),
        (["call.wav", "--engine", "scripted", "--language", "auto"], "cannot detect languages; name the language"),
        (["call.wav", "--engine", "scripted", "--language-detection", "once"], "cannot detect languages"),
        (["call.wav", "--language-detection", "sometimes"], "--language-detection"),
        (["call.wav", "--engine", "no-such"], "Error: Engine 'no-such' is not known"),
        (["call.wav", "--engine", "whisper"], "batchscribe models pull"),
        (["call.wav", "--layout", "prefix"], "Error: --layout prefix needs --output"),
        (["call.wav", "--layout", "sideways"], "--layout"),
        (["call.wav", "--no-such-option"], "--no-such-option"),
        (["call.wav", "--engine-processes", "0"], "--engine-processes"),
        (["call.wav", "--format", "docx"], "--format"),
        (["call.wav", "--include", "*.wav"], "Error: --include selects files in folders"),
        (["https://host/call.wav?signature=secret"], "https:// recordings require a server"),
        (["call.wav", "--data-dir", "call.wav"], "Error: The data directory call.wav cannot be used"),
        ([], "Missing argument"),
    ],
)
def test_a_command_that_cannot_be_carried_out_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    said = refusal(monkeypatch, capsys, "transcribe", *words)
    assert told in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("BATCHSCRIBE_ENGINE_PROCESSES", "many", "Error: BATCHSCRIBE_ENGINE_PROCESSES: "),
        ("BATCHSCRIBE_LOG_LEVEL", "loud", "Error: BATCHSCRIBE_LOG_LEVEL: "),
        ("BATCHSCRIBE_DATABASE_URL", "nonsense", "Error: BATCHSCRIBE_DATABASE_URL"),
        ("BATCHSCRIBE_DATABASE_URL", "sqlite:////proc/x.db", "Error: The database cannot be opened"),
        ("BATCHSCRIBE_S3_ENDPOINT", "http://127.0.0.1:9", "Error: BATCHSCRIBE_S3_ENDPOINT is plain HTTP"),
        ("AWS_ACCESS_KEY_ID", "half", "Error: Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    words = ("call.wav", "s3://b/a.wav", "-o", "out", "--engine", "scripted")
    assert told in refusal(monkeypatch, capsys, "transcribe", *words)


def test_a_database_that_cannot_be_opened_is_named_by_its_data_directory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "used" / "batchscribe.db").mkdir(parents=True)
    said = refusal(monkeypatch, capsys, "jobs", "list", "--data-dir", str(tmp_path / "used"))
    assert said.startswith("Error: The database cannot be opened (unable to open database file); ")
    assert f"check the permissions in {tmp_path / 'used'}, or choose another folder with --data-dir." in said


@pytest.mark.parametrize(
    "words", [("transcribe", "call.wav", "--engine", "scripted"), ("jobs", "resume", "job_nowhere")]
)
def test_while_one_process_works_in_a_data_directory_another_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, words: tuple[str, ...]
) -> None:
    with lock_data_directory(folder / "data"):
        said = refusal(monkeypatch, capsys, *words)
    assert f"Error: Another batchscribe process ({os.getpid()}) uses {folder / 'data'}" in said
    assert "--data-dir" in said
    assert "`batchscribe jobs submit`" in said


@pytest.mark.parametrize("verb", ["show", "resume", "cancel"])
def test_an_unknown_job_is_rejected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    said = refusal(monkeypatch, capsys, "jobs", verb, "job_nowhere")
    where = "; `batchscribe jobs list` shows all jobs."
    if verb != "resume":  # which creates the database
        where = ": this data directory has no jobs yet. Choose another with --data-dir."
    assert said == f"Error: There is no job job_nowhere{where}\n"


def test_a_model_that_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal(monkeypatch, capsys, "models", "pull", "no-such-model")
    assert said.startswith("Error: Model 'no-such-model' is not known")
