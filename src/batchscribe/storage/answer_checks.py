"""Validation of answers from storage. An answer is untrusted until it is checked here.

An invalid answer raises `StorageAnswerInvalid`. An answer that does not match the opened object raises `ObjectChanged`.
No answer raises any other error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from batchscribe.errors import ObjectChanged, StorageAnswerInvalid

MAX_SIZE = 2**63 - 1  #: bytes; the largest BIGINT of the database
MAX_ETAG_CHARS = 1024
MAX_DATE_CHARS = 64

_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")
_SIZE = re.compile(r"[0-9]{1,19}")
_REGION = re.compile(r"[a-z0-9-]{1,32}")
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.*?-->\s*)*"
    rb"<(?:(?:!doctype\s+)?html|head|body|title|meta|script)\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. Header names are in lower case. A longer body is cut one byte after the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Version:
    """The properties that show whether an object was replaced."""

    size: int
    etag: str | None
    modified: str | None  #: Last-Modified, as the storage sent it

    @property
    def conditions(self) -> dict[str, str]:
        """Request headers that make the storage return only this version. A weak ETag cannot be a condition."""
        if self.etag is not None and not self.etag.startswith("W/"):
            return {"if-match": self.etag}
        return {"if-unmodified-since": self.modified} if self.modified is not None else {}


def opened(answer: Answer, uri: str, asked: int) -> tuple[Version, bytes]:
    """Return the version and the first bytes from the answer to a request for the first `asked` bytes.

    The status must be 200 or 206.
    """
    _check_encoding(answer, uri)
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        start, length, size = _range(answer, uri)
        if start != 0 or length != min(asked, size) or length != len(answer.body):
            raise nonsense(uri, "it sent another byte range than requested")
    elif is_web_page(answer.body):
        raise nonsense(uri, "it answered with a web page, as a login page or a proxy does")
    elif len(answer.body) > asked:
        raise StorageAnswerInvalid(
            f"{uri} cannot be read in ranges; use a server that answers Range requests, or a smaller recording."
        )
    else:
        size = len(answer.body)
    return version_of(answer, uri, size), answer.body


def check_empty(answer: Answer, uri: str) -> None:
    """Check that the object is empty, after a request for its first bytes was answered with status 416."""
    if answer.headers.get("content-range", "bytes */0").replace(" ", "") != "bytes*/0":
        raise nonsense(uri, "it has no first byte, but is not empty")


def version_of(answer: Answer, uri: str, size: int) -> Version:
    return Version(size, _text(answer, "etag", MAX_ETAG_CHARS, uri), _modified(answer, uri))


def read_on(answer: Answer, uri: str, start: int, end: int, version: Version) -> bytes:
    """Return the bytes from `start` to `end` of this version. The answer must be a success. Raises `ObjectChanged`."""
    _check_encoding(answer, uri)
    if answer.status != HTTPStatus.PARTIAL_CONTENT:
        raise changed(uri)
    found, length, size = _range(answer, uri)
    now = version_of(answer, uri, size)
    is_same = now.size == version.size and now.etag == version.etag
    if version.etag is None:
        is_same = is_same and now.modified == version.modified
    if not is_same or found != start or length != end - start or len(answer.body) != length:
        raise changed(uri)
    return answer.body


def size_in(text: str | None) -> int | None:
    """Return the size in bytes. None if it is invalid or exceeds `MAX_SIZE`."""
    text = (text or "").strip()
    size = int(text) if _SIZE.fullmatch(text) else None
    return size if size is not None and size <= MAX_SIZE else None


def region_in(text: str | None) -> str | None:
    """Return the region if it may be part of a host name, else None."""
    return text if text and _REGION.fullmatch(text) else None


def is_web_page(body: bytes) -> bool:
    return _PAGE.match(body[:4096]) is not None


def nonsense(uri: str, what: str) -> StorageAnswerInvalid:
    return StorageAnswerInvalid(
        f"The storage's answer for {uri} cannot be used: {what}; check the endpoint and any proxy in between."
    )


def changed(uri: str) -> ObjectChanged:
    return ObjectChanged(f"{uri} was replaced or changed while it was being read; run it again.")


def _range(answer: Answer, uri: str) -> tuple[int, int, int]:
    """Return start, length and total size from Content-Range."""
    found = _RANGE.fullmatch(answer.headers.get("content-range", "").strip()[:100])
    if found is None:
        raise nonsense(uri, "it has no Content-Range that says which bytes it sent")
    start, last, size = (int(number) for number in found.groups())
    if not start <= last < size <= MAX_SIZE:
        raise nonsense(uri, "its Content-Range is impossible")
    return start, last - start + 1, size


def _modified(answer: Answer, uri: str) -> str | None:
    return _text(answer, "last-modified", MAX_DATE_CHARS, uri)


def _text(answer: Answer, name: str, most: int, uri: str) -> str | None:
    """Return a header that is only compared and sent back."""
    value = answer.headers.get(name, "").strip()
    if len(value) > most or not all(char >= " " and char != "\x7f" for char in value):
        raise nonsense(uri, f"its header {name} is too long or malformed")
    return value or None


def _check_encoding(answer: Answer, uri: str) -> None:
    """Reject compressed answers. `aws-chunked` is accepted: some uploads leave it, and the bytes are unchanged."""
    named = answer.headers.get("content-encoding", "").lower().split(",")
    encodings = {name.strip() for name in named} - {"", "identity", "aws-chunked"}
    if encodings:
        raise StorageAnswerInvalid(
            f"{uri} is sent compressed (Content-Encoding), and cannot be read in ranges; store it uncompressed."
        )
