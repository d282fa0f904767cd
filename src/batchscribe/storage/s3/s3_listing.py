"""Pages of ListObjectsV2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from batchscribe.storage.answer_checks import MAX_ETAG_CHARS, size_in
from batchscribe.storage.listing_checks import Entry, Query, checked_entry, checked_token, encoded, endless
from batchscribe.storage.xml_pages import parse_page, tag_of, text_of


def first_query(prefix: str, after: str | None = None) -> Query:
    """Return the query for the first page, with the keys after `after`."""
    query = {"encoding-type": "url", "list-type": "2", "prefix": prefix}
    return {**query, "start-after": after} if after else query


@dataclass(frozen=True, slots=True)
class S3Pages:
    """The pages of one listing. `fetch` returns the body of a page for its query."""

    uri: str
    prefix: str
    fetch: Callable[[Query], bytes]

    def read(self, query: Query) -> tuple[list[Entry], Query | None]:
        """Return the entries of a page and the query for the next page. Raises `StorageAnswerInvalid`."""
        page = parse_page(self.fetch(query), "ListBucketResult", self.uri, "an S3")
        is_encoded = text_of(page, "EncodingType") == "url"
        entries = [self._entry(item, is_encoded=is_encoded) for item in page if tag_of(item) == "Contents"]
        if text_of(page, "IsTruncated").strip().lower() != "true":
            return entries, None
        return entries, self._next(text_of(page, "NextContinuationToken"), entries)

    def _entry(self, item: ElementTree.Element, *, is_encoded: bool) -> Entry:
        key = text_of(item, "Key")
        key_bytes = unquote_to_bytes(key.replace("+", " ")) if is_encoded else encoded(key)
        etag = text_of(item, "ETag")[:MAX_ETAG_CHARS] or None
        return checked_entry(Entry(key_bytes, size_in(text_of(item, "Size")), etag), self.uri)

    def _next(self, token: str, entries: list[Entry]) -> Query:
        if token:
            return {"continuation-token": checked_token(token, self.uri), **first_query(self.prefix)}
        if not entries:
            raise endless(self.uri)
        return first_query(self.prefix, max(entry.key for entry in entries).decode("utf-8", "replace"))
