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

    name: OutputFormat  #: in a job's configuration
    content_type: str  #: for object storage
    render: Callable[[Transcript], bytes]


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(OutputFormat.JSON, "application/json", render_json),
        Format(OutputFormat.SRT, "application/x-subrip; charset=utf-8", render_srt),
        Format(OutputFormat.VTT, "text/vtt", render_vtt),  # always UTF-8
        Format(OutputFormat.TXT, "text/plain; charset=utf-8", render_txt),
        Format(OutputFormat.PEAKS, "application/json", render_peaks),
    )
}
