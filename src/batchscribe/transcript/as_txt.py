"""A transcript as plain text in UTF-8: one line per paragraph, separated by blank lines."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.transcript.document import Transcript
from batchscribe.transcript.line_breaking import clean, columns, space_after
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.transcript.sentences import ends_sentence

PAUSE_SEC = 2.0  #: a pause this long ends a paragraph
LONG_COLUMNS = 500  #: a paragraph of this width ends at the next sentence end
LONGEST_COLUMNS = 1_000  #: a paragraph of this width ends at the next segment end


def render_txt(transcript: Transcript) -> bytes:
    """Render paragraphs, labeled with diarization or several channels; an empty file if there is no speech."""
    return "\n".join(f"{paragraph}\n" for paragraph in _paragraphs(transcript)).encode()


def _paragraphs(transcript: Transcript) -> Iterator[str]:
    text, last = "", None
    for segment in transcript.segments:
        said = clean(segment.text)
        if not said:
            continue
        if text and last and not _begins_paragraph(transcript, text, last, segment, said):
            text += space_after(text) + said
        else:
            if text:
                yield text
            label = transcript.label(segment)
            text = f"{label}: {said}" if label else said
        last = segment
    if text:
        yield text


def _begins_paragraph(
    transcript: Transcript, text: str, last: TranscriptSegment, segment: TranscriptSegment, said: str
) -> bool:
    if transcript.label(last) != transcript.label(segment) or segment.start_sec - last.end_sec >= PAUSE_SEC:
        return True
    is_long = columns(text) >= LONG_COLUMNS and ends_sentence(text.rsplit(" ", 1)[-1], said)
    return is_long or columns(text) >= LONGEST_COLUMNS
