"""Output about speech models: tables, JSON, and the progress of a pull or a check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from batchscribe.cli.present.console import format_speed, format_text, open_console, print_table
from batchscribe.models.at_hand import ModelInfo
from batchscribe.models.origin import Origin
from batchscribe.models.pull_progress import NoProgress, PullProgress
from batchscribe.models.verify import FileVerdict
from batchscribe.settings import Settings
from batchscribe.speakers.speaker_format import PURPOSE
from batchscribe.speech.registry import speed_of
from batchscribe.wire.base import JsonObject

MB = 1_000_000
BAR_WIDTH = 16  #: with this width, a line fits into 80 columns
UNKNOWN = "unknown"
#: What the hashes of files were compared with.
STANDARDS = {"pinned": "the publisher's hashes", "hub": "the hub's hashes", "pull": "itself when it was pulled"}


def describe_model(model: ModelInfo, settings: Settings) -> JsonObject:
    origin, speed = model.origin, speed_of(model, settings)
    return {
        "name": model.name,
        "engine": model.engine,
        "path": str(model.path),
        "size_bytes": model.size_bytes,
        "languages": list(model.languages),
        "licence": model.licence,
        "source": origin.source,
        "places": list(origin.places),
        "repository": origin.repository,
        "revision": model.revision,
        "checked": origin.is_checked,
        "checked_against": {name: record.checked_against for name, record in origin.pulled.items()},
        "speed": None if speed is None else round(speed, 1),
    }


def show_models(models: Sequence[ModelInfo], settings: Settings) -> None:
    table = Table("model", "engine", "size", "languages", "license", "origin", "checked", "speed", box=None)
    for model in models:
        speed = speed_of(model, settings)
        table.add_row(
            model.name,
            model.engine,
            f"{model.size_bytes / MB:.0f} MB",
            describe_languages(model),
            model.licence or UNKNOWN,
            format_text(describe_origin(model.origin)),
            describe_check(model.origin),
            f"about {format_speed(speed)}" if speed is not None else "" if model.engine == PURPOSE else UNKNOWN,
        )
    print_table(table)


def describe_languages(model: ModelInfo) -> str:
    """Return the language, or the number of languages. Speaker models do not depend on the language."""
    if model.engine == PURPOSE:
        return "any"
    return f"{len(model.languages)}" if len(model.languages) > 1 else ", ".join(model.languages) or UNKNOWN


def show_pulled(model: ModelInfo) -> None:
    open_console().print(
        f"{model.name} is in {format_text(str(model.path))}; its files were {describe_check(model.origin)}."
    )


def describe_origin(origin: Origin) -> str:
    """Return the model's publisher and where it was pulled from."""
    match origin.source:
        case "folder":
            return origin.places[0]
        case "hub" | "index":
            return f"{origin.repository}, from the {origin.source}"
    return origin.repository or UNKNOWN


def describe_check(origin: Origin) -> str:
    """Return `checked against the publisher's hashes`, followed by the files if only some were checked."""
    checked = {name: record.checked_against for name, record in origin.pulled.items() if record.checked_against}
    if not checked:
        return "not checked"
    words = "checked against " + " and ".join(
        STANDARDS[standard] for standard in sorted(set(checked.values()), reverse=True)
    )
    return words if origin.is_checked else f"{words} ({', '.join(checked)})"


def describe_verdicts(verdicts: Mapping[str, Sequence[FileVerdict]]) -> list[JsonObject]:
    return [
        {
            "name": name,
            "ok": not any(each.is_wrong for each in of_model),
            "files": [
                {"file": each.file, "verdict": each.verdict.value, "against": each.against, "fault": each.fault}
                for each in of_model
            ],
        }
        for name, of_model in verdicts.items()
    ]


def show_verdicts(verdicts: Mapping[str, Sequence[FileVerdict]]) -> None:
    table = Table("model", "file", "result", "compared with", box=None)
    for name, of_model in verdicts.items():
        for each in of_model:
            result = f"{each.verdict}: {each.fault}" if each.fault else each.verdict.value
            table.add_row(name, each.file, result, STANDARDS[each.against] if each.against else "")
    output = open_console()
    print_table(table)
    for name, of_model in verdicts.items():
        if any(each.is_wrong for each in of_model):
            again = f"`batchscribe models remove {name}` and `batchscribe models pull {name}` reinstall it"
            output.print(f"Model {name} is incomplete or changed; {again}.")


# Progress on standard error


@contextmanager
def show_pull() -> Iterator[PullProgress]:
    """Show a bar at a terminal, else only the notes."""
    output = open_console(stderr=True)
    if not output.is_terminal:
        yield PullNotes(output)
        return
    columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), TextColumn("{task.fields[words]}"))
    with Progress(*columns, console=output, transient=True) as bar:
        yield PullBar(bar, output)


class PullNotes(NoProgress):
    """Notes without steps, for a log."""

    def __init__(self, output: Console) -> None:
        self._output = output

    def note(self, sentence: str) -> None:
        self._output.print(format_text(sentence))


class PullBar(PullNotes):
    """A bar that is updated in place, with the notes."""

    def __init__(self, bar: Progress, output: Console) -> None:
        super().__init__(output)
        self._bar = bar
        self._task = bar.add_task("", total=None, words="")

    def step(self, doing: str, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        words = format_megabytes(done_bytes, total_bytes)
        self._bar.update(self._task, description=doing, total=total_bytes, completed=done_bytes, words=words)


def format_megabytes(done_bytes: int, total_bytes: int | None) -> str:
    """Format as `43 of 66 MB`; empty for a file of at most 1 MB, and before the start."""
    if total_bytes:
        return f"{done_bytes / MB:.0f} of {total_bytes / MB:.0f} MB" if total_bytes > MB else ""
    return f"{done_bytes / MB:.0f} MB" if done_bytes else ""
