"""Pages of `List Blobs`.

Azure cannot start a listing after a key, and accounts with folders do not sort by bytes. A listing is therefore
continued with the marker of the next page, which `ObjectInfo.position` holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from batchscribe.storage.answer_checks import MAX_ETAG_CHARS, nonsense, size_in
from batchscribe.storage.listing_checks import Entry, Query, checked_entry, checked_token, encoded
from batchscribe.storage.store import PAGE_SIZE, Page
from batchscribe.storage.xml_pages import parse_page, tag_of, text_of

MARKER = "marker:"  #: before the marker in a position


def first_query(prefix: str, position: str | None) -> Query:
    """Return the query for the first page, or for the page at a position."""
    query = {
        "comp": "list",
        "maxresults": str(PAGE_SIZE),
        "prefix": prefix,
        "restype": "container",
    }
    return {**query, "marker": position.removeprefix(MARKER)} if position else query


def position_of(query: Query | None) -> str:
    """Return the position of the page with this query; `MARKER` alone is the end of the listing."""
    return MARKER + (query["marker"] if query else "")


@dataclass(frozen=True, slots=True)
class AzurePages:
    """The pages of one listing. `fetch` returns the body of a page for its query."""

    uri: str
    fetch: Callable[[Query], bytes]

    def read(self, query: Query) -> tuple[list[Entry], Query | None]:
        """Return the entries of a page and the query for the next page. Raises `StorageAnswerInvalid`."""
        page = parse_page(self.fetch(query), "EnumerationResults", self.uri, "an Azure")
        blobs = next((child for child in page if tag_of(child) == "Blobs"), None)
        if blobs is None:
            raise nonsense(self.uri, "it is not an Azure listing")
        entries = [self._entry(item) for item in blobs if tag_of(item) == "Blob"]
        marker = text_of(page, "NextMarker")
        return entries, {**query, "marker": checked_token(marker, self.uri)} if marker else None

    def _entry(self, item: ElementTree.Element) -> Entry:
        facts = {tag_of(child): child for child in item}
        name, properties = facts.get("Name"), facts.get("Properties")
        text = (name.text or "") if name is not None else ""
        is_encoded = name is not None and name.get("Encoded") == "true"
        key = unquote_to_bytes(text) if is_encoded else encoded(text)
        if properties is None:
            raise nonsense(self.uri, "its listing has an object without properties")
        etag = text_of(properties, "Etag").strip('"')[:MAX_ETAG_CHARS]
        size = size_in(text_of(properties, "Content-Length"))
        return checked_entry(Entry(key, size, f'"{etag}"' if etag else None, _is_folder(item)), self.uri)


def _is_folder(item: ElementTree.Element) -> bool:
    """Return whether the blob is a folder of an account with a hierarchical namespace."""
    properties = next((child for child in item if tag_of(child) == "Properties"), item)
    return text_of(properties, "ResourceType") == "directory"


def skip_seen(pages: Callable[[], Iterator[Page]], after: str) -> Iterator[Page]:
    """Yield the objects after the one with this URI. If it is gone, yield those with larger names.

    For callers that have kept a URI. A listing of a job continues with the position of the last object of a page.
    """
    is_found = False
    for page in pages():
        names = [info.uri for info in page]
        start = 0 if is_found else names.index(after) + 1 if after in names else len(page)
        is_found = is_found or after in names
        if page[start:]:
            yield page[start:]
    if not is_found:
        later = ([info for info in page if info.uri > after] for page in pages())
        yield from (page for page in later if page)
