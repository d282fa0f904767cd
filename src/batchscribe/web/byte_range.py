"""The header `Range` of a request (RFC 9110, section 14), answered in parts of bounded size.

A browser asks for `bytes=0-` and stops reading once it has enough. If the server sent everything, a connection would
stay open that its client does not read. So a part ends early, and the browser asks for the next one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_BYTES = 2 * 2**20  #: in one part
_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,100})-([0-9]{0,100})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to, but without, `end`."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{size}"


class Unsatisfiable(ValueError):
    """None of the bytes exist."""


def read_range(header: str | None, size: int) -> ByteRange | None:
    """Return the part to send; None for the whole object. Raises `Unsatisfiable`.

    A header that is malformed or names several ranges is ignored, as the standard allows.
    """
    found = _ONE_RANGE.fullmatch(header or "")
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, last = max(0, size - int(found[2])), size - 1
    else:
        start, last = int(found[1]), min(int(found[2] or size), size - 1)
        if found[2] and int(found[2]) < start:
            return None
    if start >= size:
        raise Unsatisfiable(header)
    return ByteRange(start, min(last + 1, start + MOST_BYTES))
