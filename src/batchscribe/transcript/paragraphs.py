"""Division of a transcript into paragraphs, for people who read it: one speaker each, without long pauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from batchscribe.transcript.document import Transcript
from batchscribe.transcript.line_breaking import clean, columns, space_after
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.transcript.sentences import ends_sentence
from batchscribe.window import Flag

PAUSE_SEC = 2.0  #: a pause this long ends a paragraph
LONG_COLUMNS = 500  #: a paragraph of this width ends at the next sentence end
LONGEST_COLUMNS = 1_000  #: a paragraph of this width ends at the next segment end


@dataclass(slots=True)
class Paragraph:
    """Consecutive segments with the same label, None if there are no labels. Times in seconds."""

    label: str | None
    start_sec: float
    end_sec: float
    text: str
    flags: set[Flag] = field(default_factory=set)

    @property
    def labeled_text(self) -> str:
        return f"{self.label}: {self.text}" if self.label else self.text

    def admits(self, segment: TranscriptSegment, label: str | None, said: str) -> bool:
        """Return whether the segment, which says `said`, continues the paragraph."""
        if label != self.label or segment.start_sec - self.end_sec >= PAUSE_SEC:
            return False
        width = columns(self.labeled_text)
        is_long = width >= LONG_COLUMNS and ends_sentence(self.text.rsplit(" ", 1)[-1], said)
        return not is_long and width < LONGEST_COLUMNS

    def add(self, segment: TranscriptSegment, said: str) -> None:
        self.text += space_after(self.text) + said
        self.end_sec = segment.end_sec
        self.flags.update(segment.flags)


def divide_paragraphs(transcript: Transcript) -> Iterator[Paragraph]:
    """Yield the paragraphs in order, labeled with diarization or several channels."""
    current: Paragraph | None = None
    for segment in transcript.segments:
        said = clean(segment.text)
        if not said:
            continue
        label = transcript.label(segment)
        if current is not None and current.admits(segment, label, said):
            current.add(segment, said)
            continue
        if current is not None:
            yield current
        current = Paragraph(label, segment.start_sec, segment.end_sec, said, set(segment.flags))
    if current is not None:
        yield current
