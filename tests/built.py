"""The distributions of this project, built and installed as a user gets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from tests.documents import ROOT

CONSTRAINTS = ROOT / "constraints.txt"
RUN_SEC = 300.0  #: the first time, uv downloads 200 MB
#: Leads a new Python to the code of this checkout, or measures its coverage.
FOREIGN = ("PYTHONPATH", "VIRTUAL_ENV", "COVERAGE_", "COV_", "BATCHSCRIBE_")


def build(source: Path, into: Path, *kinds: str) -> tuple[Path, Path]:
    """Build sdist and wheel without a network. Return their paths.

    Without `kinds`, the wheel is built from the sdist, like every wheel on the index. With `--sdist` and `--wheel`,
    both are built from the source tree.
    """
    run_uv("build", str(source), "--out-dir", str(into), "--no-build-isolation", "--python", sys.executable, *kinds)
    (sdist,) = into.glob("*.tar.gz")
    (wheel,) = into.glob("*.whl")
    return sdist, wheel


def install(wheel: Path, into: Path) -> Path:
    """Install the wheel with the pinned dependencies in a new virtual environment. Return the folder of its commands.

    No package is compiled.
    """
    run_uv("venv", "--python", sys.executable, str(into))
    python = into / "bin" / "python"
    run_uv("pip", "install", "--python", str(python), "--only-binary", ":all:", "-c", str(CONSTRAINTS), str(wheel))
    return into / "bin"


def run_uv(*words: str, given: str | None = None) -> str:
    """Return standard output. Raises `AssertionError` with the messages if the command fails."""
    index = {"UV_DEFAULT_INDEX": os.environ["PIP_INDEX_URL"]} if "PIP_INDEX_URL" in os.environ else {}
    done = subprocess.run(
        [find_uv_bin(), *words, "--quiet"], input=given, capture_output=True, text=True,
        env=own_environment() | index, timeout=RUN_SEC, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def own_environment() -> dict[str, str]:
    """Return the environment of a person who has never seen this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
