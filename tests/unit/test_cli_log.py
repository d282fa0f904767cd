"""Log lines of the command: their destination, level and content."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from dbos._logger import init_logger

from batchscribe.cli.log import configure_log
from batchscribe.errors import InvalidSetting
from batchscribe.queue import flow


@pytest.fixture(autouse=True)
def fresh_log() -> Iterator[None]:
    loggers = [logging.getLogger(), logging.getLogger("dbos")]
    before = [(logger, logger.handlers, logger.level, logger.propagate) for logger in loggers]
    yield
    structlog.reset_defaults()
    for logger, handlers, level, propagate in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def fail_with(secret: str) -> None:
    raise ValueError(f"{len(secret)} characters do not fit")


def test_lines_are_json_on_standard_error_from_the_level_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("Warning")
    structlog.get_logger().info("file.done", file_id="f_000001")
    structlog.get_logger().warning("file.storage_unavailable", file_id="f_000002")
    (line,) = lines(capsys)
    assert line.items() >= {"event": "file.storage_unavailable", "level": "warning", "file_id": "f_000002"}.items()


@pytest.mark.parametrize("at_terminal", [False, True])
def test_a_traceback_never_shows_the_values_of_variables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, at_terminal: bool
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: at_terminal)
    configure_log("error")
    try:
        fail_with("what was said on the telephone")
    except ValueError:
        structlog.get_logger().exception("file.mistake")
    told = capsys.readouterr().err
    assert "30 characters do not fit" in told
    assert "fail_with" in told
    assert "telephone" not in told.replace('fail_with("what was said on the telephone")', "")


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="BATCHSCRIBE_LOG_LEVEL: 'loud' is not one of debug"):
        configure_log("loud")


def test_what_libraries_log_becomes_lines_like_ours(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("info")
    logging.getLogger("some.library").info("for those who work on it")
    with structlog.contextvars.bound_contextvars(job_id="job_1"):
        logging.getLogger("some.library").warning("it took %d s\nand failed", 5)
        logging.getLogger("dbos").error("cannot reach the database")
    first, second = lines(capsys)
    assert first.items() >= {"event": "it took 5 s\nand failed", "level": "warning", "logger": "some.library"}.items()
    assert second.items() >= {"event": "cannot reach the database", "logger": "dbos", "job_id": "job_1"}.items()
    assert "timestamp" in second


def test_a_traceback_of_a_library_never_shows_the_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("error")
    try:
        fail_with("what was said on the telephone")
    except ValueError:
        logging.getLogger("some.library").exception("failed")
    (line,) = lines(capsys)
    assert "30 characters do not fit" in str(line["exception"])
    assert "telephone" not in str(line).replace("fail_with(", "")


def test_dbos_does_not_print_its_own_log_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise it would print them in its own format."""
    configure_log("warning")
    flow.prepare_log()
    init_logger()
    logging.getLogger("dbos").error("cannot reach the database")
    (line,) = lines(capsys)
    assert line["event"] == "cannot reach the database"


def test_the_log_outlives_what_standard_error_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A progress bar replaces standard error for some time. A later flush of the log must not find it closed."""
    before, after = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", before)
    configure_log("warning")
    logging.getLogger("some.library").warning("first")
    monkeypatch.setattr(sys, "stderr", after)
    before.close()
    (handler,) = logging.getLogger().handlers
    handler.flush()
    logging.getLogger("some.library").warning("second")
    assert "second" in after.getvalue()
