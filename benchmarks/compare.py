"""Another revision against this working tree: `python -m benchmarks.compare REVISION [--runs N] [MEASUREMENT...]`.

Both run the measurements of `make bench` in turn, each with its own code, so that other load on the machine affects
both alike. The report has the medians and their ratios. The installed libraries are the same.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.__main__ import MEASUREMENTS

ROOT = Path(__file__).parents[1]
RUNS = 3
FIGURE = re.compile(r"^  (?P<name>\S.*?) {2,}(?P<value>[\d.,]+)(?P<unit>\D*?)(?: +\(goal: .*\))?$")

Figures = dict[str, tuple[float, str]]  #: value and unit, by name


@dataclass(frozen=True, slots=True)
class Comparison:
    """The medians of one figure, of a revision and of this tree."""

    name: str
    before: float
    after: float
    unit: str

    @property
    def row(self) -> str:
        ratio = f"{self.after / self.before:.2f}" if self.before else "-"
        return f"| {self.name} | {self.before:g}{self.unit} | {self.after:g}{self.unit} | {ratio} |"


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.compare")
    options.add_argument("revision")
    options.add_argument("measurements", nargs="*", help=f"by default all: {', '.join(MEASUREMENTS)}")
    options.add_argument("--runs", type=int, default=RUNS)
    given = options.parse_args()
    print(f"| Figure | {given.revision} | this tree | ratio |\n|---|---|---|---|")
    with TemporaryDirectory() as folder:
        extract(given.revision, Path(folder))
        for name in given.measurements or MEASUREMENTS:
            for each in compare(name, Path(folder), runs=given.runs):
                print(each.row, flush=True)


def extract(revision: str, folder: Path) -> None:
    """Write the files of a revision into a folder."""
    archive = subprocess.run(
        [shutil.which("git") or "git", "archive", revision], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")


def compare(measurement: str, before: Path, *, runs: int) -> Iterator[Comparison]:
    """Run a measurement of both trees in turn, and yield the figures that both have, in the order of this tree."""
    results: dict[Path, list[Figures]] = {before: [], ROOT: []}
    for _ in range(runs):
        for tree, figures in results.items():
            figures.append(run(measurement, tree))
    for name, (_, unit) in results[ROOT][0].items():
        if all(name in figures for figures in results[before]):
            old, new = (statistics.median(each[name][0] for each in results[tree]) for tree in (before, ROOT))
            yield Comparison(name, old, new, unit)


def run(measurement: str, tree: Path) -> Figures:
    """Run a measurement with the code of a tree."""
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks", measurement],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": f"{tree / 'src'}"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return parse(output)


def parse(output: str) -> Figures:
    """Return the figures that a measurement has printed."""
    found = (FIGURE.match(line) for line in output.splitlines())
    return {line["name"]: (float(line["value"].replace(",", "")), line["unit"]) for line in found if line}


if __name__ == "__main__":
    main()
