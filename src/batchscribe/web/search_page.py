"""The page that searches in all transcripts of a tenant. Each match links to its second in the reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.reader_rows import names_in_files
from batchscribe.database.segment_rows import FoundPage, FoundSegment
from batchscribe.errors import InvalidRequest, SearchOff
from batchscribe.jobs.search_query import MAX_QUERY_CHARS
from batchscribe.stages.transcript_search import search
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site
from batchscribe.web.wording import shown_name

PAGE_HITS = 50
MAX_NUMBER = 2**63 - 1

#: The names that people gave to speakers, by label, of files by the numbers of the job and the file.
NamesOfFiles = Mapping[tuple[int, int], Mapping[str, str]]
NO_NAMES: NamesOfFiles = {}


@dataclass(frozen=True, slots=True)
class Hit:
    """A segment that matches. `pieces` are its text, divided into what matches and what does not."""

    start_sec: float
    speaker: str | None
    pieces: tuple[tuple[str, bool], ...]
    path: str  #: of the reader at this time


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file with the segments that match on this page, in the order of the recording."""

    job_id: str
    name: str
    input_uri: str
    path: str  #: of the reader
    hits: tuple[Hit, ...]


def search_page_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/search")
    def show_search(request: Request, visitor: VisitorInTurn, q: str = "", before: int | None = None) -> Response:
        page, names, mistake = FoundPage([], None), NO_NAMES, None
        if q.strip():
            try:
                page = _find(site, visitor.tenant, q, before)
                names = _names(site, page)
            except (InvalidRequest, SearchOff) as error:
                mistake = error
        return site.page(
            request,
            "search.html",
            query=q,
            files=list(_group(page.found, names)),
            before=page.before,
            is_first=before is None,
            mistake=mistake,
            max_chars=MAX_QUERY_CHARS,
        )

    return router


def _find(site: Site, tenant: str, text: str, before: int | None) -> FoundPage:
    """A number that does not fit leads to the first page. Raises `SearchOff`, `InvalidRequest`."""
    is_number = before is not None and 0 < before <= MAX_NUMBER
    service = site.service
    return search(
        service.records, service.settings, tenant, text, limit=PAGE_HITS, before=before if is_number else None
    )


def _names(site: Site, page: FoundPage) -> NamesOfFiles:
    with site.service.records.transaction() as connection:
        return names_in_files(connection, {(each.job_number, each.seq) for each in page.found})


def _group(found: Iterable[FoundSegment], names: NamesOfFiles) -> Iterator[FoundFile]:
    for (job_id, file_id), group in groupby(found, key=lambda each: (each.job_id, each.file_id)):
        path = f"/jobs/{job_id}/files/{file_id}"
        members = list(group)
        first = members[0]
        given = names.get((first.job_number, first.seq), {})
        hits = tuple(_hit(each, path, given) for each in members)
        yield FoundFile(job_id, shown_name(first.input_uri), first.input_uri, path, hits)


def _hit(found: FoundSegment, path: str, names: Mapping[str, str]) -> Hit:
    """`names` are those that people gave to the speakers of the file, by label."""
    segment = found.segment
    speaker = names.get(segment.speaker or "", segment.speaker)
    pieces = tuple(divide(segment.text, found.spans))
    first_match = next((text for text, is_match in pieces if is_match), "")
    query = f"?q={quote(first_match)}" if first_match else ""
    return Hit(segment.start_sec, speaker, pieces, f"{path}{query}#t={segment.start_sec:g}")


def divide(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text and whether each is in a span. Spans are in order and do not overlap."""
    position = 0
    for start, end in spans:
        if start > position:
            yield text[position:start], False
        yield text[start:end], True
        position = end
    if position < len(text):
        yield text[position:], False
