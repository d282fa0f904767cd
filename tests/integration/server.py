"""`batchscribe serve` as an operator runs it: a separate process in the folder of a `Command`."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.integration.command import Command, Started, wait_until

END_SEC = 120.0  #: both for a busy machine
JOB_SEC = 250.0
ENDED = {"SUCCEEDED", "PARTIAL", "FAILED", "CANCELED"}
PREFIX = "/v2/aiservices/scribe"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server whose requests need no key."""

    process: Started
    url: str

    def submit(self, folder: Path, **fields: Any) -> str:
        """Submit a job over `calls/` in the folder, with transcripts below `out/`. Return its ID."""
        body: dict[str, Any] = {
            "input": {"mode": "PREFIX", "uri": (folder / "calls").as_uri()},
            "output": {"uri": f"{(folder / 'out').as_uri()}/"},
            "config": {"segmentation_mode": "none"},
        }
        answer = httpx2.post(f"{self.url}{PREFIX}/jobs", json=body | fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["job_id"])

    def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        return httpx2.post(f"{self.url}{PREFIX}{path}", json=body)

    def job(self, job_id: str) -> dict[str, Any]:
        return self.get(f"/jobs/{job_id}")

    def get(self, path: str) -> dict[str, Any]:
        answer = httpx2.get(f"{self.url}{PREFIX}{path}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def wait(self, job_id: str, state: str = "SUCCEEDED") -> None:
        """Wait for a state. A job that ended in another state fails the test."""

        def is_there() -> bool:
            job = self.job(job_id)
            assert job["state"] not in ENDED - {state}, job
            return bool(job["state"] == state)

        wait_until(is_there, within_sec=JOB_SEC)

    def end(self, grace_sec: float = 0) -> int:
        """Stop the server with SIGTERM. Return the exit status. `grace_sec` is its grace time."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SEC + grace_sec)


@contextmanager
def serving(command: Command, *options: str) -> Iterator[Server]:
    with command.started("serve", "--port", "0", *options) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, (line, process.stderr and process.stderr.read())
        yield Server(process, found[0])
