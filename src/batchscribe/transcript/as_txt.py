"""A transcript as plain text in UTF-8: one line per paragraph, separated by blank lines."""

from __future__ import annotations

from batchscribe.transcript.document import Transcript
from batchscribe.transcript.paragraphs import divide_paragraphs


def render_txt(transcript: Transcript) -> bytes:
    """Render paragraphs, labeled with diarization or several channels; an empty file if there is no speech."""
    return "\n".join(f"{paragraph.labeled_text}\n" for paragraph in divide_paragraphs(transcript)).encode()
