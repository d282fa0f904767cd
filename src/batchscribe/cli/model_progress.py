"""How far the pull or the check of a model is, on standard error: a bar for a person, nothing for a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from batchscribe.cli.console import console
from batchscribe.cli.places import printable
from batchscribe.cli.progress import BAR_WIDTH
from batchscribe.speech.models.watch import Unwatched, Watch

MB = 1_000_000


@contextmanager
def model_progress() -> Iterator[Watch]:
    """What suits standard error."""
    output = console(stderr=True)
    if not output.is_terminal:
        yield Notes(output)
        return
    columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), TextColumn("{task.fields[words]}"))
    with RichProgress(*columns, console=output, transient=True) as bar:
        yield ModelBar(bar, output)


class Notes(Unwatched):
    """No steps; but what a person should know is said."""

    def __init__(self, output: Console) -> None:
        self._output = output

    def note(self, sentence: str) -> None:
        self._output.print(printable(sentence))


class ModelBar(Notes):
    """Moves in place."""

    def __init__(self, bar: RichProgress, output: Console) -> None:
        super().__init__(output)
        self._bar = bar
        self._task = bar.add_task("", total=None, words="")

    def step(self, doing: str, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        words = megabytes(done_bytes, total_bytes)
        self._bar.update(self._task, description=doing, total=total_bytes, completed=done_bytes, words=words)


def megabytes(done_bytes: int, total_bytes: int | None) -> str:
    """`43 of 66 MB`; nothing of what is over in no time, or has not begun."""
    if total_bytes:
        return f"{done_bytes / MB:.0f} of {total_bytes / MB:.0f} MB" if total_bytes > MB else ""
    return f"{done_bytes / MB:.0f} MB" if done_bytes else ""
