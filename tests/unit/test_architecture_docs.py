"""`docs/architecture.md` against the source: its modules, layers, files and kinds of tasks."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from batchscribe.queue.tasks import QUEUES
from tests.documents import DOCUMENTS, ROOT, code_blocks
from tests.unit.test_structure import FILES, imports

ARCHITECTURE = ROOT / "docs" / "architecture.md"
TEXT = " ".join(ARCHITECTURE.read_text().split())
SOURCE = ROOT / "src" / "batchscribe"


# Modules and layers


def modules() -> set[str]:
    """The packages and modules directly below `batchscribe`."""
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    return packages | {path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("__")}


@cache
def imported_modules() -> dict[str, set[str]]:
    """Each module directly below `batchscribe` with those that it imports."""
    found: dict[str, set[str]] = {module: set() for module in modules()}
    for importer, imported in imports().items():
        own = importer.split(".")[1:2]
        if own and own[0] in found:
            found[own[0]] |= {name.split(".")[1] for name in imported if "." in name} - {own[0]}
    return found


@cache
def reachable(module: str) -> frozenset[str]:
    direct = imported_modules()[module]
    return frozenset(direct).union(*(reachable(each) for each in direct))


def diagram() -> Iterator[tuple[str, str]]:
    (block,) = code_blocks(ARCHITECTURE, "mermaid")
    for line in block.partition("subgraph")[0].splitlines():
        importers, arrow, imported = line.partition(" --> ")
        if arrow:
            yield from product(importers.replace(" ", "").split("&"), imported.replace(" ", "").split("&"))


def test_the_table_lists_exactly_the_modules_that_exist() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", ARCHITECTURE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(modules())


def test_the_layers_that_are_checked_have_every_module() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = [each["layers"] for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    assert sorted(re.findall(r"batchscribe\.(\w+)", " ".join(layers))) == sorted(modules())


def test_the_diagram_shows_the_imports_without_those_that_others_imply() -> None:
    wanted = {
        (importer, each)
        for importer, direct in imported_modules().items()
        for each in direct
        if not any(each in reachable(other) for other in direct)
    }
    assert set(diagram()) == wanted


def test_only_the_queue_uses_dbos() -> None:
    users = {
        path.parent.name for path in FILES if re.search(r"^\s*(?:import|from) dbos\b", path.read_text(), re.MULTILINE)
    }
    assert users == {"queue"}


# What is named


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    """`CONTRIBUTING.md` also names files to be written, with a word in capitals."""
    folders = {path.name for place in (SOURCE, ROOT) for path in place.iterdir() if path.is_dir()}
    named = set(re.findall(r"`((\w+)/[\w./-]+\.\w+)`", document.read_text()))
    own = {name for name, folder in named if folder in folders and not re.search("[A-Z]{4}", name)}
    assert [name for name in sorted(own) if not (SOURCE / name).exists() and not (ROOT / name).exists()] == []


def test_every_file_and_module_in_the_blocks_exists() -> None:
    blocks = "".join(code_blocks(ARCHITECTURE, ""))
    assert set(re.findall(r"\b(\w+)/(?=[ ,]|$)", blocks)) <= modules()
    assert set(re.findall(r"^ *(\w+)\.\w+ ", blocks, re.MULTILINE)) <= modules()


def test_the_block_of_tasks_has_every_kind_of_task() -> None:
    (block,) = [each for each in code_blocks(ARCHITECTURE, "") if each.startswith("submit ")]
    kinds = {line[:12].strip().replace(" ", "_") for line in block.splitlines() if not line.startswith(" ")}
    assert kinds == {*QUEUES, "submit"}
