"""The formats in which a transcript can be written, and what can be written beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from batchscribe.transcript.as_json import render_json
from batchscribe.transcript.as_peaks import render_peaks
from batchscribe.transcript.as_srt import render_srt
from batchscribe.transcript.as_txt import render_txt
from batchscribe.transcript.as_vtt import render_vtt
from batchscribe.transcript.document import Transcript
from batchscribe.wire.choices import OutputFormat


@dataclass(frozen=True, slots=True)
class Format:
    """One format of transcripts."""

    name: OutputFormat  #: in a job's configuration; also the extension, from which the format is inferred
    extension: str  #: with the dot
    content_type: str  #: for object storage
    render: Callable[[Transcript], bytes]


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(OutputFormat.JSON, ".json", "application/json", render_json),
        Format(OutputFormat.SRT, ".srt", "application/x-subrip; charset=utf-8", render_srt),
        Format(OutputFormat.VTT, ".vtt", "text/vtt", render_vtt),  # always UTF-8
        Format(OutputFormat.TXT, ".txt", "text/plain; charset=utf-8", render_txt),
        Format(OutputFormat.PEAKS, ".peaks", "application/json", render_peaks),
    )
}

EXTENSIONS = frozenset(each.extension for each in FORMATS.values())
