"""What is told while a job is waited for."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from batchscribe.cli.waiting import Lines
from batchscribe.errors import ServerError


def body(state: str = "PROCESSING", **counters: int) -> dict[str, Any]:
    return {
        "job_id": "job_1", "state": state, "submitted_at": "2026-11-24T12:00:00Z",
        "input": {}, "output": {}, "config": {}, "summary": {"total_files": 40, **counters}, "error": None,
    }  # fmt: skip


def test_a_line_comes_with_each_state_and_every_five_seconds() -> None:
    now = [100.0]
    told = io.StringIO()
    lines = Lines(Console(file=told), lambda: now[0])
    lines.show(body("QUEUED"))
    lines.show(body("QUEUED"))
    lines.show(body(succeeded=1))
    now[0] += 4
    lines.show(body(succeeded=2))
    now[0] += 2
    lines.show(body(succeeded=3, failed=1, skipped=1))
    lines.show(body("PARTIAL", succeeded=39, failed=1))
    assert told.getvalue().splitlines() == [
        "QUEUED: 0 of 40 files",
        "PROCESSING: 1 of 40 files",
        "PROCESSING: 5 of 40 files, 1 failed",
        "PARTIAL: 40 of 40 files, 1 failed",
    ]


def test_an_answer_that_is_no_job_is_an_error_of_the_server() -> None:
    with pytest.raises(ServerError, match="cannot be understood: job_id is required"):
        Lines(Console(file=io.StringIO())).show({"state": "QUEUED"})
