"""A transcript as a conversation: when each paragraph was said, who said it, and the text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from batchscribe.cli.present.console import format_duration, format_position, format_text, format_uri, open_console
from batchscribe.transcript.document import Transcript
from batchscribe.transcript.line_breaking import columns
from batchscribe.transcript.paragraphs import Paragraph, divide_paragraphs
from batchscribe.window import Flag

#: For the speakers, in the order in which they first speak. All are legible on light and on dark backgrounds.
COLORS = ("cyan", "magenta", "green", "blue", "red")
MAX_LABEL_COLUMNS = 16
MAX_TEXT_COLUMNS = 88  #: longer lines are hard to read
POSITION_COLUMNS = 7
MIN_COLUMNS = 48  #: for columns; on a narrower terminal each paragraph is a line, as without one
#: As the reader of the web interface says it (`segment_row.js`), but shorter.
DOUBTS = {
    Flag.LOW_CONFIDENCE: "the engine guessed",
    Flag.LOW_SPEECH: "more words than anyone can say in this time",
    Flag.NO_SPEECH: "the engine did not detect speech",
    Flag.REPETITION: "repeated unusually often",
}


def show_conversation(transcript: Transcript) -> None:
    """Print the transcript: with wrapped text on a terminal, else each paragraph on one line."""
    output = open_console()
    paragraphs = list(divide_paragraphs(transcript))
    _show_head(output, transcript)
    if not paragraphs:
        output.print("There is no speech.")
    elif output.is_terminal and output.width >= MIN_COLUMNS:
        _show_wrapped(output, paragraphs)
    else:
        for paragraph in paragraphs:
            output.print(f"{format_position(paragraph.start_sec)}  {format_text(paragraph.labeled_text)}", end="")
            output.print(_describe_doubts(paragraph))


def _show_head(output: Console, transcript: Transcript) -> None:
    metadata = transcript.metadata
    facts = (format_duration(transcript.duration_sec), transcript.model, *metadata.languages)
    output.print(f"{format_uri(metadata.input_uri)} ({', '.join(format_text(fact) for fact in facts if fact)})")
    for warning in metadata.warnings:
        output.print(f"Warning: {format_text(warning)}")
    output.print()


def _show_wrapped(output: Console, paragraphs: Sequence[Paragraph]) -> None:
    """Print each paragraph as a table of its own, so that the first appears at once, however many there are."""
    labels = list(dict.fromkeys(paragraph.label for paragraph in paragraphs if paragraph.label))
    label_columns = min(max((columns(format_text(label)) for label in labels), default=0), MAX_LABEL_COLUMNS)
    text_columns = output.width - POSITION_COLUMNS - label_columns - (4 if labels else 2)
    for paragraph in paragraphs:
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_column(width=POSITION_COLUMNS, style="dim")
        if labels:
            row.add_column(width=label_columns, no_wrap=True, overflow="ellipsis")
        row.add_column(width=max(20, min(text_columns, MAX_TEXT_COLUMNS)), overflow="fold")
        label = paragraph.label or ""
        color = COLORS[labels.index(label) % len(COLORS)] if label else ""
        said = Text(format_text(paragraph.text)).append(_describe_doubts(paragraph), "dim")
        row.add_row(
            format_position(paragraph.start_sec), *([Text(format_text(label), f"bold {color}")] if labels else []), said
        )
        output.print(row, soft_wrap=False)
        output.print()


def _describe_doubts(paragraph: Paragraph) -> str:
    found = "; ".join(reason for flag, reason in DOUBTS.items() if flag in paragraph.flags)
    return f"  [doubtful: {found}]" if found else ""
