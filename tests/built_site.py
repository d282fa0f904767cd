"""The site of the documents: its navigation, and how it is built."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.documents import ROOT

CONFIGURATION = ROOT / "zensical.toml"


def pages_in_navigation() -> list[str]:
    """Return the files that the navigation names, in its order."""
    return list(_files(tomllib.loads(CONFIGURATION.read_text())["project"]["nav"]))


def _files(entry: object) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict):
        for part in entry.values():
            yield from _files(part)
    elif isinstance(entry, list):
        for part in entry:
            yield from _files(part)


def copy_documents(folder: Path) -> Path:
    """Copy the configuration and the documents, so that a test can change them. Return the folder of the documents."""
    shutil.copy(CONFIGURATION, folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    return folder / "docs"


def build_site(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the copied documents into `build/site`, as `make docs` does."""
    line = [sys.executable, "-m", "zensical", "build", "--strict"]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
