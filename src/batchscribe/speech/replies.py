"""What an engine's process answers: JSON, checked by the parent.

Nothing from there is unpickled: a model or a library that was taken over would run code in the parent. Times are within
their window, numbers finite, texts short and without control characters.
"""

from __future__ import annotations

import json
import re
import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from batchscribe.children.pipe import Pipe
from batchscribe.children.strict_json import parse
from batchscribe.window import Flag, Phrase, Recognition, Window, Word

MAX_REPLY_BYTES = 16 * 2**20  #: a batch of windows full of words is 0.2 MB
MAX_REASON_CHARS = 300
MAX_TEXT_CHARS = 20_000  #: of a phrase; all that Whisper can say of a window is a tenth of it
MAX_PARTS = 5_000  #: phrases of a window, or words of a phrase
MAX_LANGUAGES = 200
#: An engine works on frames, so its last word may end a little behind the window. It is then cut.
SLACK_SEC = 1.0
_LENGTH = struct.Struct("!I")
_TAG = re.compile(r"[A-Za-z0-9-]{1,24}")
_UNWANTED = {"Cc", "Cs"}  #: control characters and halves of surrogate pairs


class UntrueReply(ValueError):
    """The engine's process said something that cannot be."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is loaded."""


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The answer to a batch: one recognition for each request, not checked yet."""

    recognitions: list[Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """The engine raised; the process ends after this message."""

    reason: str


Reply = Ready | Transcribed | Failure


def send_reply(pipe: Pipe, reply: Ready | Failure | list[Recognition]) -> None:
    """Raises as `Pipe.write`."""
    match reply:
        case Ready():
            said: dict[str, Any] = {"op": "ready"}
        case Failure(reason):
            said = {"op": "failed", "reason": reason}
        case recognitions:
            said = {"op": "transcribed", "recognitions": [asdict(each) for each in recognitions]}
    line = json.dumps(said, default=float).encode()  # NumPy has numbers of its own
    pipe.write(_LENGTH.pack(len(line)), line)


def receive_reply(pipe: Pipe) -> Reply:
    """Raises as `Pipe.read`, and `UntrueReply`."""
    (length,) = _LENGTH.unpack(pipe.read(_LENGTH.size))
    if length > MAX_REPLY_BYTES:
        raise UntrueReply("a reply of an impossible length")
    try:
        said = parse(pipe.read(length))
    except ValueError as error:
        raise UntrueReply("a reply that is not JSON") from error
    match said:
        case {"op": "ready"}:
            return Ready()
        case {"op": "failed", "reason": reason}:
            return Failure(_text(reason, MAX_REASON_CHARS))
        case {"op": "transcribed", "recognitions": list(recognitions)}:
            return Transcribed(recognitions)
    raise UntrueReply("a reply of no kind that is known")


def checked(recognitions: Sequence[Any], windows: Sequence[Window]) -> list[Recognition]:
    """One for each window. Raises `UntrueReply`."""
    if len(recognitions) != len(windows):
        raise UntrueReply("another number of answers than of windows")
    try:
        return [_recognition(said, window.duration_sec) for said, window in zip(recognitions, windows, strict=True)]
    except (KeyError, TypeError, ValueError) as error:
        raise UntrueReply("an answer of another shape") from error


def _recognition(said: Any, longest_sec: float) -> Recognition:
    language = said["language"]
    return Recognition(
        phrases=tuple(_phrase(each, longest_sec) for each in _list(said["phrases"], MAX_PARTS)),
        left_out=tuple(_span(start, end, longest_sec) for start, end in _list(said["left_out"], MAX_PARTS)),
        language=None if language is None else _tag(language),
        detected=tuple((_tag(tag), _number(share, 1.01)) for tag, share in _list(said["detected"], MAX_LANGUAGES)),
    )


def _phrase(said: Any, longest_sec: float) -> Phrase:
    start_sec, end_sec = _span(said["start_sec"], said["end_sec"], longest_sec)
    words = tuple(_word(each, longest_sec) for each in _list(said["words"], MAX_PARTS))
    flags = tuple(Flag(each) for each in _list(said["flags"], len(Flag)))
    return Phrase(_text(said["text"], MAX_TEXT_CHARS), start_sec, end_sec, words, flags)


def _word(said: Any, longest_sec: float) -> Word:
    start_sec, end_sec = _span(said["start_sec"], said["end_sec"], longest_sec)
    confidence = said["confidence"]
    return Word(
        _text(said["text"], MAX_TEXT_CHARS),
        start_sec,
        end_sec,
        None if confidence is None else _number(confidence, 1.01),
    )


def _span(start: object, end: object, longest_sec: float) -> tuple[float, float]:
    """Within the window, in order."""
    start_sec, end_sec = _number(start, longest_sec + SLACK_SEC), _number(end, longest_sec + SLACK_SEC)
    if start_sec > end_sec:
        raise UntrueReply("a span that ends before it begins")
    return min(start_sec, longest_sec), min(end_sec, longest_sec)


def _number(value: object, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= most:
        raise UntrueReply("a number out of its range")
    return float(value)


def _list(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise UntrueReply("no list, or too long a one")
    return value


def _text(value: object, longest: int) -> str:
    """Without what has no place in a text."""
    if not isinstance(value, str) or len(value) > longest:
        raise UntrueReply("no text, or too long a one")
    return value if value.isprintable() else "".join(c for c in value if unicodedata.category(c) not in _UNWANTED)


def _tag(value: object) -> str:
    if not isinstance(value, str) or not _TAG.fullmatch(value):
        raise UntrueReply("no language")
    return value
