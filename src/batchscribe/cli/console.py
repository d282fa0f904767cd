"""Where tables and lines go: results to standard output, progress to standard error."""

from __future__ import annotations

from rich.console import Console

PLAIN_WIDTH = 10_000  #: columns where no terminal says how many there are: what is read by a program is never folded


def console(*, stderr: bool = False) -> Console:
    """Nothing that is printed is taken for markup: names of files may look like it."""
    made = Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)
    if not made.is_terminal:
        made.width = PLAIN_WIDTH
    return made
