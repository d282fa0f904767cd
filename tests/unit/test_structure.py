"""The source tree stays navigable: unique names, files of a reasonable size, no import cycles."""

from __future__ import annotations

import ast
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TypeVar

import batchscribe

SOURCE = Path(batchscribe.__file__).parent
FILES = sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)
#: Entry points that every package of their kind has.
SHARED_NAMES = {"__init__.py", "app.py"}
LARGEST_FILE_LINES = 360
MEDIAN_FILE_LINES = 90, 150
LONGEST_FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES, NINE_TENTHS_LINES = 6, 14
CLI_LAYERS = 5
#: Libraries that one package hides from all others, by import and by word.
HIDDEN = {"sqlalchemy": "database", "dbos": "queue"}

Node = TypeVar("Node", ast.ClassDef, ast.FunctionDef)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def definitions(kind: type[Node]) -> Iterator[tuple[Path, Node]]:
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, kind):
                yield path.relative_to(SOURCE), node


def line_count(path: Path) -> int:
    return len(path.read_text().splitlines())


def own_lines(function: ast.FunctionDef) -> int:
    """Count lines without inner functions: a router is a list of routes."""
    inner = [node for node in function.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return span(function) - sum(span(node) for node in inner)


def span(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_two_files_share_a_name() -> None:
    names = Counter(path.name for path in FILES if path.name not in SHARED_NAMES)
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_classes_share_a_name() -> None:
    places: dict[str, list[Path]] = defaultdict(list)
    for path, node in definitions(ast.ClassDef):
        places[node.name].append(path)
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_files_are_worth_opening_and_can_be_read_at_once() -> None:
    lengths = {path.relative_to(SOURCE): line_count(path) for path in FILES if path.name != "__init__.py"}
    assert {path: length for path, length in lengths.items() if length > LARGEST_FILE_LINES} == {}
    assert MEDIAN_FILE_LINES[0] <= statistics.median(lengths.values()) <= MEDIAN_FILE_LINES[1]


def test_functions_can_be_seen_at_once() -> None:
    lengths = {f"{path}:{node.name}": own_lines(node) for path, node in definitions(ast.FunctionDef)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION_LINES} == {}
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION_LINES
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= NINE_TENTHS_LINES


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports() -> dict[str, set[str]]:
    """Modules of batchscribe and those that they import when they run; for type checkers only is not an import."""
    modules = {module_of(path): path for path in FILES}
    return {module: set(imported_by(path, set(modules))) - {module} for module, path in modules.items()}


def imported_by(path: Path, modules: set[str]) -> Iterator[str]:
    for node in running(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield from {submodule if submodule in modules else node.module} & modules


def running(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield from running(child)


def test_a_hidden_library_is_named_in_one_package_only() -> None:
    named = {
        (library, path.relative_to(SOURCE).parts[0])
        for path in FILES
        for library in HIDDEN
        if library in path.read_text().lower()
    }
    assert named == set(HIDDEN.items())


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert list(TopologicalSorter(imports()).static_order())


def test_the_command_line_has_few_layers() -> None:
    assert max(layer(module) for module in imports() if module.startswith("batchscribe.cli.")) <= CLI_LAYERS


@cache
def layer(module: str) -> int:
    below = (each for each in imports()[module] if each.startswith("batchscribe.cli."))
    return 1 + max(map(layer, below), default=0)
