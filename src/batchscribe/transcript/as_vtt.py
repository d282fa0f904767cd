"""A transcript as WebVTT subtitles (`.vtt`): https://www.w3.org/TR/webvtt1/."""

from __future__ import annotations

import html

from batchscribe.transcript.cues import Cue, CuePart, cues
from batchscribe.transcript.document import Transcript


def render_vtt(transcript: Transcript) -> bytes:
    """Render the cues; only the header without speech. The standard does not define a header for the language."""
    return "\n".join(["WEBVTT\n", *map(_cue, cues(transcript, with_labels=False))]).encode()


def _cue(cue: Cue) -> str:
    text = "\n".join(map(_part, cue.parts))
    return f"{_time(cue.start_ms)} --> {_time(cue.end_ms)}\n{text}\n"


def _part(part: CuePart) -> str:
    text = _escape("\n".join(part.lines))
    return f"<v {_escape(part.label)}>{text}</v>" if part.label else text


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _time(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{ms % 1000:03d}"
