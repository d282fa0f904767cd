"""Pages of `objects.list`, and other JSON answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from batchscribe.storage.answer_checks import is_web_page, nonsense, size_in
from batchscribe.storage.listing_checks import MAX_PAGE_BYTES, Entry, Query, checked_entry, checked_token, encoded

FIELDS = "size,generation"


def parse_json(body: bytes, uri: str) -> dict[str, Any]:
    """Return the JSON object in an answer. Raises `StorageAnswerInvalid`."""
    if is_web_page(body):
        raise nonsense(uri, "it answered with a web page, as a login page or a proxy does")
    if len(body) > MAX_PAGE_BYTES:
        raise nonsense(uri, "a page of its listing is larger than 1,000 keys can be")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise nonsense(uri, "it is not a JSON object")
    return data


@dataclass(frozen=True, slots=True)
class GcsPages:
    """The pages of one listing. `fetch` returns the body of a page for its query."""

    uri: str
    fetch: Callable[[Query], bytes]

    def read(self, query: Query) -> tuple[list[Entry], Query | None]:
        """Return the entries of a page and the query for the next page. Raises `StorageAnswerInvalid`."""
        page = parse_json(self.fetch(query), self.uri)
        items = page.get("items", [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise nonsense(self.uri, "it is not a listing of Google Cloud Storage")
        entries = [self._entry(item) for item in items]
        token = page.get("nextPageToken")
        return entries, {**query, "pageToken": checked_token(str(token), self.uri)} if token else None

    def _entry(self, item: dict[str, Any]) -> Entry:
        generation = item.get("generation")
        key = encoded(str(item.get("name") or ""))
        return checked_entry(Entry(key, size_in(str(item.get("size"))), generation and str(generation)[:32]), self.uri)
