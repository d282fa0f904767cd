"""ListObjectsV2 listings, with checks for invalid and endless ones.

A listing must be sorted across pages, because a job resumes after the last key it has seen, even after a crash. A
listing that repeats keys could be endless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from batchscribe.storage.answer_checks import MAX_ETAG_CHARS, is_web_page, nonsense, size_in
from batchscribe.storage.store import PAGE_SIZE, ObjectInfo, Page

MAX_PAGE_BYTES = 6 * 2**20  #: 1,000 keys of 1,024 bytes, each byte percent-encoded, and their markup
#: The limit for a page; 1,000 objects have about 20,000. Python's parser blocks all other threads, and millions of tags
#: take seconds.
MAX_PAGE_TAGS = 200_000
MAX_KEY_BYTES = 8 * 2**10  #: S3 allows 1,024
MAX_TOKEN_CHARS = 8 * 2**10
MOST_EMPTY_PAGES = 10_000  #: in a row; S3 sends some if many objects were deleted

#: Returns the body of a page for its query.
FetchPage = Callable[[dict[str, str]], bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """A listed object. The key is bytes, because listings are in byte order."""

    key: bytes
    size: int | None
    etag: str | None

    @property
    def is_folder_marker(self) -> bool:
        return self.size == 0 and self.key.endswith(b"/")


@dataclass(slots=True)
class S3Listing:
    """One pass through the keys below a prefix that follow the key `after`."""

    uri: str
    bucket: str
    prefix: str
    after: str | None
    _last: bytes = b""
    _token: str = ""

    def pages(self, fetch: FetchPage) -> Iterator[Page]:
        """Return pages of objects. Raises `StorageAnswerInvalid` and the errors of `fetch`."""
        seen = _encoded(self.after or "")
        query: dict[str, str] | None = self._start()
        empty = 0
        while query is not None:
            entries, query = self._read(fetch(query))
            empty = 0 if entries else empty + 1
            if empty > MOST_EMPTY_PAGES:
                raise nonsense(self.uri, f"its listing has more than {MOST_EMPTY_PAGES} empty pages")
            infos = [self._info(entry) for entry in entries if entry.key > seen and not entry.is_folder_marker]
            yield from (infos[start : start + PAGE_SIZE] for start in range(0, len(infos), PAGE_SIZE))

    def _start(self) -> dict[str, str]:
        query = {"encoding-type": "url", "list-type": "2", "prefix": self.prefix}
        return {**query, "start-after": self.after} if self.after else query

    def _read(self, body: bytes) -> tuple[list[Entry], dict[str, str] | None]:
        """Return the entries of a page and the query for the next page."""
        page = self._parsed(body)
        is_encoded = _text(page, "EncodingType") == "url"
        entries = [self._entry(item, is_encoded=is_encoded) for item in page if _name(item) == "Contents"]
        entries.sort(key=lambda entry: entry.key)
        self._check_order(entries)
        if _text(page, "IsTruncated").strip().lower() != "true":
            return entries, None
        return entries, self._next(_text(page, "NextContinuationToken"), entries)

    def _parsed(self, body: bytes) -> ElementTree.Element:
        if len(body) > MAX_PAGE_BYTES or body.count(b"<") + body.count(b"=") > MAX_PAGE_TAGS:
            raise nonsense(self.uri, "a page of its listing is larger than 1,000 keys can be")
        if is_web_page(body):
            raise nonsense(self.uri, "it answered with a web page, as a login page or a proxy does")
        try:
            page = ElementTree.fromstring(body)  # noqa: S314 (expat limits what entities expand to)
        except (ElementTree.ParseError, LookupError, ValueError):  # also for an unknown encoding
            page = None
        if page is None or _name(page) != "ListBucketResult":
            raise nonsense(self.uri, "it is not an S3 listing")
        return page

    def _entry(self, item: ElementTree.Element, *, is_encoded: bool) -> Entry:
        facts = {_name(child): child.text or "" for child in item}
        key = facts.get("Key", "")
        key_bytes = unquote_to_bytes(key.replace("+", " ")) if is_encoded else _encoded(key)
        if not 0 < len(key_bytes) <= MAX_KEY_BYTES:
            raise nonsense(self.uri, "its listing has an object whose name is missing or far too long")
        return Entry(key_bytes, size_in(facts.get("Size")), facts.get("ETag", "")[:MAX_ETAG_CHARS] or None)

    def _check_order(self, entries: list[Entry]) -> None:
        start = _encoded(self.prefix)
        if not all(entry.key.startswith(start) for entry in entries):
            raise nonsense(self.uri, "its listing has objects from outside the prefix")
        repeats = any(before.key == entry.key for before, entry in pairwise(entries))
        if repeats or (entries and entries[0].key <= self._last):
            raise nonsense(self.uri, "its listing repeats objects, or is not in the order of their names")
        if entries:
            self._last = entries[-1].key

    def _next(self, token: str, entries: list[Entry]) -> dict[str, str]:
        if not token and entries:
            return {**self._start(), "start-after": entries[-1].key.decode("utf-8", "replace")}
        if not token or len(token) > MAX_TOKEN_CHARS or token == self._token:
            raise nonsense(self.uri, "its listing does not end: it repeats its continuation token, or has none")
        self._token = token
        return {"continuation-token": token, "encoding-type": "url", "list-type": "2", "prefix": self.prefix}

    def _info(self, entry: Entry) -> ObjectInfo:
        """Return the object. NUL is replaced, because the database cannot store it: then only this file fails."""
        key = entry.key.decode("utf-8", "replace").replace("\0", "\ufffd")
        return ObjectInfo(f"s3://{self.bucket}/{key}", entry.size, entry.etag)


def _encoded(key: str) -> bytes:
    return key.encode("utf-8", "replace")


def _name(element: ElementTree.Element) -> str:
    """Return the tag without its namespace."""
    return element.tag.rpartition("}")[2]


def _text(page: ElementTree.Element, name: str) -> str:
    found = next((child for child in page if _name(child) == name), None)
    return (found.text or "") if found is not None else ""
