"""Replies of engine processes: JSON that the parent validates.

Nothing is unpickled, because a compromised model or library could then run code in the parent. Validated times are
within the window, numbers are finite, and texts have limited length and no control characters.
"""

from __future__ import annotations

import json
import re
import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from batchscribe.children.pipe import Pipe, parse
from batchscribe.window import Flag, Phrase, Recognition, Window, Word

MAX_REPLY_BYTES = 16 * 2**20  #: a batch of windows full of words is 0.2 MB
MAX_REASON_CHARS = 300
MAX_TEXT_CHARS = 20_000  #: of a phrase; ten times the longest text of Whisper for a window
MAX_PARTS = 5_000  #: phrases of a window, or words of a phrase
MAX_LANGUAGES = 200
#: Engines work on frames, so the last word may end slightly after the window. Its time is then clamped.
SLACK_SEC = 1.0
_LENGTH = struct.Struct("!I")
_TAG = re.compile(r"[A-Za-z0-9-]{1,24}")
_UNWANTED = {"Cc", "Cs"}  #: control characters and halves of surrogate pairs


class InvalidEngineReply(ValueError):
    """The engine process sent an impossible reply."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is loaded."""


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The reply to a batch: one recognition per request, not validated yet."""

    recognitions: list[Any]


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """The engine raised an error; the process ends after this reply."""

    reason: str
    is_out_of_memory: bool = False


Reply = Ready | Transcribed | EngineFailure


def send_reply(pipe: Pipe, reply: Ready | EngineFailure | list[Recognition]) -> None:
    """Send a reply. Raises the errors of `Pipe.write`."""
    match reply:
        case Ready():
            message: dict[str, Any] = {"op": "ready"}
        case EngineFailure(reason, is_out_of_memory):
            message = {"op": "failed", "reason": reason, "is_out_of_memory": is_out_of_memory}
        case recognitions:
            message = {"op": "transcribed", "recognitions": [asdict(each) for each in recognitions]}
    line = json.dumps(message, default=float).encode()  # float() converts NumPy's numbers
    pipe.write(_LENGTH.pack(len(line)), line)


def receive_reply(pipe: Pipe) -> Reply:
    """Receive a reply. Raises `InvalidEngineReply` and the errors of `Pipe.read`."""
    (length,) = _LENGTH.unpack(pipe.read(_LENGTH.size))
    if length > MAX_REPLY_BYTES:
        raise InvalidEngineReply("a reply that is too long")
    try:
        message = parse(pipe.read(length))
    except ValueError as error:
        raise InvalidEngineReply("a reply that is not JSON") from error
    match message:
        case {"op": "ready"}:
            return Ready()
        case {"op": "failed", "reason": reason, "is_out_of_memory": bool(is_out_of_memory)}:
            return EngineFailure(_text(reason, MAX_REASON_CHARS), is_out_of_memory)
        case {"op": "transcribed", "recognitions": list(recognitions)}:
            return Transcribed(recognitions)
    raise InvalidEngineReply("a reply of an unknown kind")


def validate_recognitions(recognitions: Sequence[Any], windows: Sequence[Window]) -> list[Recognition]:
    """Return one `Recognition` per window. Raises `InvalidEngineReply`."""
    if len(recognitions) != len(windows):
        raise InvalidEngineReply("a different number of recognitions than of windows")
    try:
        return [_recognition(found, window.duration_sec) for found, window in zip(recognitions, windows, strict=True)]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidEngineReply("a malformed recognition") from error


def _recognition(found: Any, longest_sec: float) -> Recognition:
    language = found["language"]
    return Recognition(
        phrases=tuple(_phrase(each, longest_sec) for each in _list(found["phrases"], MAX_PARTS)),
        left_out=tuple(_span(start, end, longest_sec) for start, end in _list(found["left_out"], MAX_PARTS)),
        language=None if language is None else _tag(language),
        detected=tuple((_tag(tag), _number(share, 1.01)) for tag, share in _list(found["detected"], MAX_LANGUAGES)),
    )


def _phrase(found: Any, longest_sec: float) -> Phrase:
    start_sec, end_sec = _span(found["start_sec"], found["end_sec"], longest_sec)
    words = tuple(_word(each, longest_sec) for each in _list(found["words"], MAX_PARTS))
    flags = tuple(Flag(each) for each in _list(found["flags"], len(Flag)))
    return Phrase(_text(found["text"], MAX_TEXT_CHARS), start_sec, end_sec, words, flags)


def _word(found: Any, longest_sec: float) -> Word:
    start_sec, end_sec = _span(found["start_sec"], found["end_sec"], longest_sec)
    confidence = found["confidence"]
    return Word(
        _text(found["text"], MAX_TEXT_CHARS),
        start_sec,
        end_sec,
        None if confidence is None else _number(confidence, 1.01),
    )


def _span(start: object, end: object, longest_sec: float) -> tuple[float, float]:
    """Return the span, clamped to the window."""
    start_sec, end_sec = _number(start, longest_sec + SLACK_SEC), _number(end, longest_sec + SLACK_SEC)
    if start_sec > end_sec:
        raise InvalidEngineReply("a span that ends before it begins")
    return min(start_sec, longest_sec), min(end_sec, longest_sec)


def _number(value: object, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= most:
        raise InvalidEngineReply("a number out of range")
    return float(value)


def _list(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise InvalidEngineReply("a value that is not a list, or too long")
    return value


def _text(value: object, longest: int) -> str:
    """Return the text without control characters and surrogates."""
    if not isinstance(value, str) or len(value) > longest:
        raise InvalidEngineReply("a value that is not text, or too long")
    return value if value.isprintable() else "".join(c for c in value if unicodedata.category(c) not in _UNWANTED)


def _tag(value: object) -> str:
    if not isinstance(value, str) or not _TAG.fullmatch(value):
        raise InvalidEngineReply("a value that is not a language tag")
    return value
