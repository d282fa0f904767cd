"""Real models, from wherever pip is told to look, kept outside the repository so that each machine pulls them once."""

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
    """Its folder. Where it cannot be had the test is skipped, but on CI it fails. A crash fails everywhere."""
    result = models_command("pull", name, "--from", "index")
    if result.returncode and "Traceback" not in result.stderr and not os.environ.get("CI"):
        pytest.skip(f"no model {name} here: {result.stderr.strip()}")
    assert result.returncode == 0, result.stderr
    return KEPT / "models" / name


def models_command(*words: str) -> subprocess.CompletedProcess[str]:
    """`batchscribe models` among the kept models."""
    command = [sys.executable, "-m", "batchscribe", "models", *words, "--data-dir", str(KEPT)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
