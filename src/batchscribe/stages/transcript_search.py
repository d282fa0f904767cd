"""Search in the transcripts of a tenant."""

from __future__ import annotations

from batchscribe.database.segment_rows import FoundPage, search_segments
from batchscribe.errors import SearchOff
from batchscribe.jobs.search_query import SearchQuery
from batchscribe.queue.records import Records
from batchscribe.settings import Settings


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
        return search_segments(connection, tenant, query, before=before, limit=limit)
