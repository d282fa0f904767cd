"""Processes that run for long report misspelled variables in their log, where operators of containers look."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.contract.server import QUICK
from tests.integration.command import Command, wait_until

NOTICE = "BATCHSCRIBE_GRACE_SECS is not a setting, so it has no effect. Did you mean BATCHSCRIBE_GRACE_SEC?"
OLD_NAME = (
    "BATCHSCRIBE_WORKERS is now BATCHSCRIBE_ENGINE_PROCESSES; set BATCHSCRIBE_ENGINE_PROCESSES=2 instead, because the "
    "old name will go."
)


def log_lines(folder: Path, *words: str, **environment: str) -> tuple[list[dict[str, Any]], str]:
    """Run until it is ready. Return the lines of its log, and the text beside them."""
    command = Command(folder, {**QUICK, "BATCHSCRIBE_LOG_LEVEL": "warning", **environment})
    with command.started(*words) as process:
        assert process.stdout is not None
        wait_until(lambda: "ready" in str(process.stdout and process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    lines = err.splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")], "\n".join(
        line for line in lines if not line.startswith("{")
    )


@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("serve", "--no-worker", "--port", "0"), ("worker",)])
def test_a_misspelled_variable_is_one_record_and_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    logged, beside = log_lines(tmp_path, *words, BATCHSCRIBE_GRACE_SECS="s3cr3t", BATCHSCRIBE_WORKERS="2")
    found = {line["event"]: line for line in logged if line["event"].startswith("settings.")}
    assert len([line for line in logged if line["event"].startswith("settings.")]) == 2
    assert (found["settings.unknown"]["level"], found["settings.unknown"]["notices"]) == ("warning", [NOTICE])
    assert found["settings.renamed"]["notices"] == [OLD_NAME]
    assert NOTICE in beside
    assert "s3cr3t" not in str(logged)


def test_correct_settings_are_not_mentioned(tmp_path: Path) -> None:
    logged, _ = log_lines(tmp_path, "worker")
    assert [line for line in logged if line["event"].startswith("settings.")] == []
