"""The route for search in the transcripts of a tenant."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from batchscribe.api.answer_bodies import HitsBody
from batchscribe.api.auth import TenantInTurn
from batchscribe.api.body import bad_token, last_of, token_after
from batchscribe.api.job_routes import PageSize, TokenQuery, next_page, page_limit
from batchscribe.api.openapi import answer, refusals
from batchscribe.api.service import Service
from batchscribe.jobs.search_query import MAX_QUERY_CHARS
from batchscribe.stages.transcript_search import search
from batchscribe.wire.base import JsonObject

PAGE_HITS, MAX_PAGE_HITS = 50, 200
NUMBER = "segment"  #: in page tokens
MAX_NUMBER = 2**63 - 1

WordsQuery = Annotated[
    str, Query(description=f'Words, "phrases" and prefixes such as invoic*; at most {MAX_QUERY_CHARS} characters.')
]


def search_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["search"])

    @router.get(
        "/search",
        operation_id="searchTranscripts",
        summary="Search transcripts, the latest first",
        response_model=None,
        responses={200: answer(HitsBody), **refusals(400, 401, 429, 500, 503)},
    )
    def search_transcripts(
        tenant: TenantInTurn,
        q: WordsQuery,
        page_size: PageSize = None,
        next_page_token: TokenQuery = None,
        next_cursor: TokenQuery = None,
    ) -> Response:
        limit = page_limit(page_size, PAGE_HITS, MAX_PAGE_HITS)
        return JSONResponse(_page(service, tenant, q, limit, next_page_token or next_cursor))

    return router


def _page(service: Service, tenant: str, text: str, limit: int, token: str | None) -> JsonObject:
    before = _number_in(token) if token else None
    page = search(service.records, service.settings, tenant, text, limit=limit, before=before)
    token = "" if page.before is None else token_after(**{NUMBER: str(page.before)})
    return {"hits": [each.answer().body() for each in page.found]} | next_page(token)


def _number_in(token: str) -> int:
    number = last_of(token, NUMBER)
    if not (number.isascii() and number.isdigit() and len(number) < 20 and int(number) <= MAX_NUMBER):
        raise bad_token()
    return int(number)
