"""The files of a job, a line each: written as they come, since there may be a million."""

from __future__ import annotations

from collections.abc import Iterable

from batchscribe.cli.answers import begun, understood
from batchscribe.cli.console import console
from batchscribe.cli.places import printable, shown
from batchscribe.cli.progress import duration
from batchscribe.wire.answers import FileAnswer
from batchscribe.wire.model import JsonObject

#: The first three have room for whatever comes; the last two are as long as they are.
LINE = "{:<10}  {:<15}  {:>8}  {}  {}"


def show_files(bodies: Iterable[JsonObject]) -> None:
    output, found = console(), begun(bodies)
    output.print(LINE.format("file", "state", "duration", "input", "output or error"))
    for body in found:
        file = understood(FileAnswer, body)
        heard = "" if file.duration_sec is None else duration(file.duration_sec)
        output.print(LINE.format(file.file_id, file.state.value, heard, shown(file.input_uri), _end(file)))


def _end(file: FileAnswer) -> str:
    return f"{printable(file.error.code)}: {printable(file.error.message)}" if file.error else shown(file.output_uri)
