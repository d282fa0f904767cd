"""Runs the shell blocks of documents as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Shell:
    """A bash in `folder` that finds the command, with a data directory of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, block: str, *, status: int = 0, within_sec: float = 120) -> str:
        """Run a block until its first failure. Return its standard output."""
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail"], input=block, cwd=self.folder, env=self._variables(),
            capture_output=True, text=True, check=False, timeout=within_sec,
        )  # fmt: skip
        assert done.returncode == status, (block, done.stdout, done.stderr)
        return done.stdout

    def _variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BATCHSCRIBE_"))}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"PATH": path, "BATCHSCRIBE_DATA_DIR": str(self.folder / "data"), "BATCHSCRIBE_ENGINE_PROCESSES": "1"}
        return kept | own | self.environment
