"""Stored subtitles as segments, to show the text of a job that wrote no JSON. Anything may be stored in their place."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from batchscribe.errors import TranscriptUnreadable
from batchscribe.transcript.stored_document import MAX_NAME_CHARS, StoredSegment

_TIME = r"(?:([0-9]{2,4}):)?([0-5][0-9]):([0-5][0-9])[.,]([0-9]{3})"
_TIMES = re.compile(rf"{_TIME} --> {_TIME}(?: .*)?")
_VOICE = re.compile(r"<v ([^>]*)>(.*?)(?:</v>|$)", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def parse_subtitles(content: bytes) -> tuple[StoredSegment, ...]:
    """Parse WebVTT or SubRip as `as_vtt` and `as_srt` write them: a segment for each voice of a cue.

    Speakers are known only in WebVTT. Raises `TranscriptUnreadable`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TranscriptUnreadable("The stored subtitles are not text; check what replaced them.") from None
    is_vtt = text.startswith("WEBVTT")
    cues = re.split(r"\n\n+", text.replace("\r\n", "\n"))
    return tuple(segment for cue in cues for segment in _segments(cue, is_vtt=is_vtt))


def _segments(cue: str, *, is_vtt: bool) -> Iterator[StoredSegment]:
    lines = cue.split("\n")
    for number, line in enumerate(lines[:2]):  # a number or a name may precede the times
        if times := _TIMES.fullmatch(line.strip()):
            start_sec, end_sec = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
            text = "\n".join(lines[number + 1 :])
            voices = _voices(text) if is_vtt else [(None, text)]
            for speaker, said in voices:
                if spoken := " ".join(said.split()):
                    yield StoredSegment(
                        start_sec, max(start_sec, end_sec), spoken, None, speaker, None, flags=(), words=()
                    )
            return


def _voices(text: str) -> list[tuple[str | None, str]]:
    """Return the speakers of a WebVTT cue with their text, without markup."""
    found = [(_plain(name)[:MAX_NAME_CHARS] or None, _plain(said)) for name, said in _VOICE.findall(text)]
    return found or [(None, _plain(text))]


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub("", text))


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return ((hours * 60 + minutes) * 60_000 + seconds * 1000 + milliseconds) / 1000
