"""A transcript as SubRip subtitles (`.srt`), in UTF-8."""

from __future__ import annotations

from batchscribe.transcript.cues import Cue, cues
from batchscribe.transcript.document import Transcript

#: SubRip cannot escape characters, and players interpret these as tags. This also removes every "-->".
_MARKS = str.maketrans({"<": "\u2039", ">": "\u203a", "{": "(", "}": ")"})


def render_srt(transcript: Transcript) -> bytes:
    """Render the cues; empty without speech. Lines end in LF, as in FFmpeg. Players accept LF and CRLF."""
    written = (_cue(number, cue) for number, cue in enumerate(cues(transcript, with_labels=True), start=1))
    return "\n".join(written).encode()


def _cue(number: int, cue: Cue) -> str:
    lines = "\n".join(line.translate(_MARKS) for part in cue.parts for line in part.lines)
    return f"{number}\n{_time(cue.start_ms)} --> {_time(cue.end_ms)}\n{lines}\n"


def _time(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d},{ms % 1000:03d}"
