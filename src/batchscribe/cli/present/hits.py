"""The segments that a search has found."""

from __future__ import annotations

from collections.abc import Iterable

import typer
from rich.text import Text

from batchscribe.cli.present.console import fetch_first, format_position, format_text, format_uri, open_console
from batchscribe.cli.present.job_report import read_answer
from batchscribe.wire.answers import HitAnswer
from batchscribe.wire.base import JsonObject

MARK = "bold yellow"
PLAIN_MARK = "[{}]"  #: without a terminal


def show_hits(bodies: Iterable[JsonObject], query: str) -> None:
    """Print the time, the speaker and the text of each segment, below a line for its file."""
    output, shown = open_console(), ""
    for body in fetch_first(bodies):
        hit = read_answer(HitAnswer, body)
        if shown != hit.job_id + hit.file_id:
            output.print(f"{format_uri(hit.input_uri)}  ({hit.job_id} {hit.file_id})")
            shown = hit.job_id + hit.file_id
        speaker = f"{format_text(hit.speaker)}: " if hit.speaker else ""
        output.print(f"  {format_position(hit.start)}  {speaker}", _mark(hit, has_colors=output.is_terminal), sep="")
    if not shown:
        typer.echo(f"Nothing found for {format_text(query)}.", err=True)


def _mark(hit: HitAnswer, *, has_colors: bool) -> Text:
    """Return the text with what was found in color, or in brackets."""
    marked, end = Text(), 0
    for start, stop in hit.matches:
        found = format_text(hit.text[start:stop])
        marked.append(format_text(hit.text[end:start]))
        marked.append(found if has_colors else PLAIN_MARK.format(found), MARK)
        end = stop
    return marked.append(format_text(hit.text[end:]))
