"""Real models from pip's configured index, kept outside the repository so that each machine pulls them once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

#: Used as a data directory.
KEPT = Path(platformdirs.user_cache_dir("batchscribe-tests"))


def published_model(name: str) -> Path:
    """Return the folder of a model. If it is unavailable, the test is skipped; on CI and after a crash it fails."""
    result = models_command("pull", name, "--from", "index")
    if result.returncode and "Traceback" not in result.stderr and not os.environ.get("CI"):
        pytest.skip(f"no model {name} here: {result.stderr.strip()}")
    assert result.returncode == 0, result.stderr
    return KEPT / "models" / name


def models_command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `batchscribe models` in the folder of the kept models."""
    command = [sys.executable, "-m", "batchscribe", "models", *words, "--data-dir", str(KEPT)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
