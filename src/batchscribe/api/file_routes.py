"""Routes 5 and 6 of the contract: the files of a job."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from starlette.responses import JSONResponse, Response

from batchscribe.api.answer_bodies import FilesBody
from batchscribe.api.auth import TenantInTurn, empty_is_absent
from batchscribe.api.body import bad_token, last_of, token_after
from batchscribe.api.job_routes import PageSize, TokenQuery, next_page, page_limit
from batchscribe.api.openapi import answer, refusals
from batchscribe.api.service import Service
from batchscribe.database.file_rows import get_file_of, page_of_files, page_of_files_in
from batchscribe.database.job_rows import get_job_of
from batchscribe.jobs.model import seq_of, stored_states
from batchscribe.wire.answers import FileAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState

PAGE_FILES = 200  # contract 1.1

StateQuery = Annotated[FileState | None, BeforeValidator(empty_is_absent), Query()]


def files_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["files"])

    @router.get(
        "/jobs/{job_id}/files",
        operation_id="listBatchJobFiles",
        summary="List the files of a job, in the order in which they were found",
        response_model=None,
        responses={200: answer(FilesBody), **refusals(400, 401, 404, 429, 500, 503)},
    )
    def list_files(
        tenant: TenantInTurn,
        job_id: str,
        state: StateQuery = None,
        page_size: PageSize = None,
        next_page_token: TokenQuery = None,
        next_cursor: TokenQuery = None,
    ) -> Response:
        limit = page_limit(page_size, PAGE_FILES, service.settings.max_page_files)
        return JSONResponse(_page(service, tenant, job_id, state, limit, next_page_token or next_cursor))

    @router.get(
        "/jobs/{job_id}/files/{file_id}",
        operation_id="getBatchScribeJobFile",
        summary="Show a file",
        response_model=None,
        responses={200: answer(FileAnswer), **refusals(400, 401, 404, 429, 500, 503)},
    )
    def show_file(tenant: TenantInTurn, job_id: str, file_id: str) -> Response:
        return JSONResponse(_file(service, tenant, job_id, file_id))

    return router


def _page(
    service: Service, tenant: str, job_id: str, state: FileState | None, limit: int, token: str | None
) -> JsonObject:
    with service.records.transaction() as connection:
        job = get_job_of(connection, tenant, job_id)
        after = _seq_of_token(token) if token else 0
        if state is None:
            found = page_of_files(connection, job.number, after=after, limit=limit + 1)
        else:
            states = stored_states(state, job.state)
            found = page_of_files_in(connection, job.number, states, after=after, limit=limit + 1)
    files, more = found[:limit], len(found) > limit
    page: JsonObject = {"files": [file.answer(job.state, job.config.formats).body() for file in files]}
    return page | next_page(token_after(file_id=files[-1].file_id) if more else "")


def _seq_of_token(token: str) -> int:
    seq = seq_of(last_of(token, "file_id"))
    if seq is None:
        raise bad_token()
    return seq


def _file(service: Service, tenant: str, job_id: str, file_id: str) -> JsonObject:
    with service.records.transaction() as connection:
        job = get_job_of(connection, tenant, job_id)
        found = get_file_of(connection, job, file_id)
    return found.answer(job.state, job.config.formats).body()
