"""Search in the transcripts of a tenant."""

from __future__ import annotations

from dataclasses import dataclass

from batchscribe.database.segment_rows import FoundSegment, search_segments
from batchscribe.errors import SearchOff
from batchscribe.jobs.search_query import SearchQuery
from batchscribe.queue.records import Records
from batchscribe.settings import Settings


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page of found segments, and the number to continue before; None on the last page."""

    found: list[FoundSegment]
    before: int | None


def search(
    records: Records, settings: Settings, tenant: str, text: str, *, limit: int, before: int | None = None
) -> FoundPage:
    """Return a page of the segments that match, the latest transcript first. Raises `SearchOff`, `InvalidRequest`."""
    if settings.search == "off":
        raise SearchOff(
            "This server stores no transcript text, so it has no search; its operator can set BATCHSCRIBE_SEARCH."
        )
    query = SearchQuery.parse(text)
    with records.transaction() as connection:
        found = search_segments(connection, tenant, query, before=before, limit=limit + 1)
    page = found[:limit]
    return FoundPage(page, page[-1].number if len(found) > limit else None)
