"""Routes for the vocabularies of a tenant: create, list, show and delete them (contract 1.6)."""

from __future__ import annotations

import math
import secrets
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import JSONResponse, Response

from batchscribe.api.answer_bodies import VocabulariesBody
from batchscribe.api.auth import Tenant, TenantInTurn
from batchscribe.api.body import bad_token, last_of, read_body, token_after
from batchscribe.api.job_routes import PageSize, TokenQuery, next_page, page_limit, read_idempotency_key
from batchscribe.api.openapi import answer, body_of, refusals
from batchscribe.api.service import Service
from batchscribe.api.unknown_names import report_unknown_fields
from batchscribe.database.connect import Connection
from batchscribe.database.idempotency_rows import id_of_key
from batchscribe.database.vocabulary_rows import (
    delete_vocabulary,
    get_vocabulary_of,
    insert_vocabulary,
    page_of_vocabularies,
)
from batchscribe.intake.submit import IdempotencyKey
from batchscribe.wire.base import JsonObject
from batchscribe.wire.vocabulary import VocabularyAnswer, VocabularyRequest, parse_vocabulary

PAGE_VOCABULARIES, MAX_PAGE_VOCABULARIES = 50, 100  #: as for jobs
AT, ID = "created_at", "vocabulary_id"  #: in page tokens


def vocabularies_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["vocabularies"])

    @router.post(
        "/vocabularies",
        operation_id="createVocabulary",
        summary="Store a vocabulary",
        status_code=201,
        response_model=None,
        responses={
            201: answer(VocabularyAnswer, "The vocabulary was stored."),
            **refusals(400, 401, 409, 413, 415, 429, 500, 503),
        },
        openapi_extra={"requestBody": body_of(VocabularyRequest)},
    )
    async def create(
        request: Request,
        tenant: Tenant,
        idempotency_key: Annotated[
            str | None, Header(description="Repeating a key and body within 24 hours returns the same vocabulary.")
        ] = None,
    ) -> Response:
        with service.body_room.of(tenant) as take:
            body = await read_body(request, service.settings.max_body_bytes, take)
            return await service.turns.look_at_body(
                tenant, lambda: _create(service, tenant, body.parse(), idempotency_key)
            )

    @router.get(
        "/vocabularies",
        operation_id="listVocabularies",
        summary="List vocabularies, newest first",
        response_model=None,
        responses={200: answer(VocabulariesBody), **refusals(400, 401, 429, 500, 503)},
    )
    def list_vocabularies(
        tenant: TenantInTurn,
        page_size: PageSize = None,
        next_page_token: TokenQuery = None,
        next_cursor: TokenQuery = None,
    ) -> Response:
        limit = page_limit(page_size, PAGE_VOCABULARIES, MAX_PAGE_VOCABULARIES)
        return JSONResponse(_page(service, tenant, limit, next_page_token or next_cursor))

    @router.get(
        "/vocabularies/{vocabulary_id}",
        operation_id="getVocabulary",
        summary="Show a vocabulary",
        response_model=None,
        responses={200: answer(VocabularyAnswer), **refusals(400, 401, 404, 429, 500, 503)},
    )
    def show(tenant: TenantInTurn, vocabulary_id: str) -> Response:
        with service.records.transaction() as connection:
            found = get_vocabulary_of(connection, tenant, vocabulary_id)
        return JSONResponse(found.answer().body())

    @router.delete(
        "/vocabularies/{vocabulary_id}",
        operation_id="deleteVocabulary",
        summary="Delete a vocabulary",
        status_code=204,
        response_model=None,
        responses={
            204: {"description": "The vocabulary was deleted. Jobs that use it keep a copy."},
            **refusals(400, 401, 404, 429, 500, 503),
        },
    )
    def delete(tenant: TenantInTurn, vocabulary_id: str) -> Response:
        with service.records.transaction() as connection:
            delete_vocabulary(connection, tenant, vocabulary_id)
        return Response(status_code=204)

    return router


def _create(service: Service, tenant: str, body: JsonObject, key: str | None) -> Response:
    request = parse_vocabulary(body)
    idempotency = read_idempotency_key(key, {"vocabulary": body})  # differs from that of a job with the same body
    vocabulary_id = f"vocab_{secrets.token_hex(10)}"
    with service.records.transaction() as connection:
        known = idempotency and _known_id(connection, service, tenant, idempotency, vocabulary_id)
        if not known:
            limit = service.settings.max_vocabularies
            insert_vocabulary(connection, tenant, vocabulary_id, request.content, name=request.name, limit=limit)
        found = get_vocabulary_of(connection, tenant, known or vocabulary_id)
    report_unknown_fields(VocabularyRequest, body, vocabulary_id=known or vocabulary_id, tenant=tenant)
    return JSONResponse(found.answer().body(), 201)


def _known_id(
    connection: Connection, service: Service, tenant: str, idempotency: IdempotencyKey, new_id: str
) -> str | None:
    return id_of_key(
        connection,
        service.records.keyring,
        tenant=tenant,
        key=idempotency.key,
        content=idempotency.content,
        new_id=new_id,
    )


def _page(service: Service, tenant: str, limit: int, token: str | None) -> JsonObject:
    with service.records.transaction() as connection:
        found, more = page_of_vocabularies(
            connection, tenant, before=_read_token(token) if token else None, limit=limit
        )
    page: JsonObject = {"vocabularies": [each.answer().body() for each in found]}
    last = found[-1] if more else None
    return page | next_page(token_after(**{AT: repr(last.created_at), ID: last.vocabulary_id}) if last else "")


def _read_token(token: str) -> tuple[float, str]:
    """Return the creation and the ID of the last vocabulary of a page. Raises `InvalidRequest`."""
    at, vocabulary_id = last_of(token, AT), last_of(token, ID)
    try:
        created_at = float(at)
    except ValueError:
        raise bad_token() from None
    if not math.isfinite(created_at) or "\0" in vocabulary_id:
        raise bad_token()
    return created_at, vocabulary_id
