"""A measured figure: its name, value and goal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`goal` says what is aimed at, for the reader; a benchmark never fails."""

    name: str
    value: str
    goal: str = ""


def show(title: str, figures: list[Figure]) -> None:
    print(f"\n{title}")
    for figure in figures:
        goal = f"   (goal: {figure.goal})" if figure.goal else ""
        print(f"  {figure.name:<58} {figure.value:>12}{goal}", flush=True)


def show_table(title: str, circumstances: str, figures: Iterable[Figure]) -> None:
    """Print a section of Markdown. `circumstances` are the command, the machine and the versions."""
    print(f"\n## {title}\n\n{circumstances}\n\n| | measured | goal |\n|---|---:|---:|")
    for figure in figures:
        print(f"| {figure.name} | {figure.value} | {figure.goal} |", flush=True)
