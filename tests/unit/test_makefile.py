"""The Makefile and the pinned versions."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.documents import ROOT, table_rows

CONSTRAINTS = (ROOT / "constraints.txt").read_text()


def pinned() -> dict[str, list[Requirement]]:
    """What is pinned, by name; a package may have one line for each version of Python."""
    lines = [Requirement(line) for line in CONSTRAINTS.splitlines() if line and not line.lstrip().startswith("#")]
    by_name: dict[str, list[Requirement]] = {}
    for line in lines:
        by_name.setdefault(canonicalize_name(line.name), []).append(line)
    return by_name


def wanted() -> list[Requirement]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [item for group in project["dependency-groups"].values() for item in group if isinstance(item, str)]
    extras = [line for extra in project["project"]["optional-dependencies"].values() for line in extra]
    everything = [*project["project"]["dependencies"], *extras, *groups, *project["build-system"]["requires"]]
    return [Requirement(line) for line in everything]


@pytest.mark.parametrize("requirement", wanted(), ids=lambda requirement: requirement.name)
def test_every_dependency_has_a_floor_and_is_pinned_within_its_range(requirement: Requirement) -> None:
    assert any(part.operator in {">=", "=="} for part in requirement.specifier)
    pins = pinned()[canonicalize_name(requirement.name)]
    for pin in pins:
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert requirement.specifier.contains(exact.version)


def test_every_dependency_has_its_reason_and_licence_in_the_documents() -> None:
    explained = [row[0] for row in table_rows(ROOT / "docs" / "dependencies.md")]
    assert sorted(explained) == sorted({requirement.name for requirement in wanted()})


def test_the_proprietary_part_of_dbos_is_never_installed() -> None:
    assert "dbos" in pinned()
    assert "dbos-enterprise" not in pinned()


def test_the_pins_say_nothing_about_where_packages_come_from() -> None:
    assert not re.search(r"://|^-", CONSTRAINTS, re.MULTILINE)


def test_make_alone_lists_what_can_be_made() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    benchmarks = ("bench", "bench-speech", "bench-speakers", "bench-long", "bench-gpu")
    for target in ("setup", "demo", "test", "check", "sbom", "licenses", *benchmarks):
        assert re.search(rf"^  make {target} +\S", shown, re.MULTILINE)


@pytest.mark.parametrize("target", ["docs", "check"])
def test_the_site_is_built_strictly(target: str) -> None:
    line = ["make", "--no-print-directory", "--dry-run", "--assume-old=.venv/dev.stamp", target]
    shown = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert ".venv/bin/zensical build --strict" in shown
