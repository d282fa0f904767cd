"""Listings of buckets, with checks for invalid and endless ones.

A listing must be sorted across pages, because a job resumes after the last key it has seen, even after a crash. A
listing that repeats keys could be endless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from batchscribe.storage.answer_checks import nonsense
from batchscribe.storage.store import PAGE_SIZE, ObjectInfo, Page

MAX_PAGE_BYTES = 6 * 2**20  #: 1,000 keys of 1,024 bytes, each byte percent-encoded, and their markup
MAX_KEY_BYTES = 8 * 2**10  #: S3 allows 1,024
MAX_TOKEN_CHARS = 8 * 2**10
MOST_EMPTY_PAGES = 10_000  #: in a row; storage sends some if many objects were deleted

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A listed object. The key is bytes, because listings are in byte order."""

    key: bytes
    size: int | None
    etag: str | None
    is_folder: bool = False  #: a folder that the storage lists like an object

    @property
    def is_folder_marker(self) -> bool:
        return self.is_folder or (self.size == 0 and self.key.endswith(b"/"))


@dataclass(slots=True)
class LoopCheck:
    """Finds out that a listing returns to an earlier page, by Brent's algorithm: it remembers only one page."""

    remembered: Query
    pages: int = 0

    def returns_to(self, following: Query | None) -> bool:
        """Return whether the page to read next is the remembered one. Called once for each page."""
        if following is None or following == self.remembered:
            return following is not None
        self.pages += 1
        if self.pages.bit_count() == 1:
            self.remembered = following
        return False


#: Returns the entries of a page, and the query for the next one.
ReadPage = Callable[[Query], tuple[list[Entry], Query | None]]


@dataclass(slots=True)
class Listing:
    """One pass through the keys of `bucket_uri` below a prefix that follow the key `after`."""

    uri: str  #: for messages
    bucket_uri: str  #: without a trailing "/"
    prefix: str
    after: str | None = None
    is_sorted: bool = True
    #: Returns what continues the listing with this query, or at its end, for storage that cannot start after a key.
    position_of: Callable[[Query | None], str] | None = None
    _last: bytes = b""

    def pages(self, first: Query, read: ReadPage) -> Iterator[Page]:
        """Return pages of objects, beginning with the query `first`.

        Raises `StorageAnswerInvalid` and the errors of `read`.
        """
        seen = encoded(self.after or "")
        query: Query | None = first
        empty = 0
        loop = LoopCheck(first)
        while query is not None:
            entries, following = read(query)
            if self.is_sorted:
                entries.sort(key=lambda entry: entry.key)
            self._check_order(entries)
            empty = 0 if entries else empty + 1
            if empty > MOST_EMPTY_PAGES:
                raise nonsense(self.uri, f"its listing has more than {MOST_EMPTY_PAGES} empty pages")
            infos = [self._info(entry) for entry in entries if entry.key > seen and not entry.is_folder_marker]
            if infos and self.position_of is not None:
                infos[-1] = replace(infos[-1], position=self.position_of(following))
            yield from (infos[start : start + PAGE_SIZE] for start in range(0, len(infos), PAGE_SIZE))
            if loop.returns_to(following):
                raise endless(self.uri)
            query = following

    def _check_order(self, entries: list[Entry]) -> None:
        start = encoded(self.prefix)
        if not all(entry.key.startswith(start) for entry in entries):
            raise nonsense(self.uri, "its listing has objects from outside the prefix")
        repeats = any(before.key == entry.key for before, entry in pairwise(entries))
        if repeats or (entries and self.is_sorted and entries[0].key <= self._last):
            raise nonsense(self.uri, "its listing repeats objects, or is not in the order of their names")
        if entries:
            self._last = entries[-1].key

    def _info(self, entry: Entry) -> ObjectInfo:
        """Return the object. NUL is replaced, because the database cannot store it: then only this file fails."""
        key = entry.key.decode("utf-8", "replace").replace("\0", "\ufffd")
        return ObjectInfo(f"{self.bucket_uri}/{key}", entry.size, entry.etag)


def checked_entry(entry: Entry, uri: str) -> Entry:
    """Return the entry. Raises `StorageAnswerInvalid` if its key is missing or too long."""
    if not 0 < len(entry.key) <= MAX_KEY_BYTES:
        raise nonsense(uri, "its listing has an object whose name is missing or far too long")
    return entry


def checked_token(token: str, uri: str) -> str:
    """Return a continuation token. Raises `StorageAnswerInvalid` if it is too long."""
    if len(token) > MAX_TOKEN_CHARS:
        raise endless(uri)
    return token


def endless(uri: str) -> Exception:
    return nonsense(uri, "its listing does not end: it repeats its continuation token, or has none")


def encoded(key: str) -> bytes:
    return key.encode("utf-8", "replace")
