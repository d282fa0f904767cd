"""The route that retries what failed in a job."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from batchscribe.api.answer_bodies import RetriedBody
from batchscribe.api.auth import Tenant
from batchscribe.api.body import read_optional_body
from batchscribe.api.fresh_credentials import read_optional_credentials
from batchscribe.api.openapi import answer, body_of, refusals
from batchscribe.api.service import Service
from batchscribe.api.unknown_names import report_unknown_fields
from batchscribe.database.job_rows import get_job_of
from batchscribe.stages.retry import retry_job
from batchscribe.wire.base import JsonObject
from batchscribe.wire.credentials import CredentialsRequest


def retry_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.post(
        "/jobs/{job_id}/retry",
        operation_id="retryBatchJob",
        summary="Retry the failed files of an ended job",
        status_code=202,
        response_model=None,
        responses={
            202: answer(RetriedBody, "The job was opened again, and its failed files are requeued."),
            **refusals(400, 401, 404, 409, 413, 415, 429, 500, 503),
        },
        openapi_extra={"requestBody": body_of(CredentialsRequest) | {"required": False}},
    )
    async def retry(request: Request, tenant: Tenant, job_id: str) -> Response:
        with service.body_room.of(tenant) as take:
            body = await read_optional_body(request, service.settings.max_body_bytes, take)
            return await service.turns.look_at_body(tenant, lambda: _retry(service, tenant, job_id, body.parse()))

    return router


def _retry(service: Service, tenant: str, job_id: str, body: JsonObject) -> Response:
    with service.records.transaction() as connection:
        job = get_job_of(connection, tenant, job_id)
    retried = retry_job(
        job,
        service.records,
        silent_sec=service.settings.silent_sec,
        credentials=read_optional_credentials(job, body),
    )
    unknown = report_unknown_fields(CredentialsRequest, body, job_id=job_id, tenant=tenant)
    warnings = [*retried.warnings, *unknown.warnings]
    warned: JsonObject = {"warnings": warnings} if warnings else {}
    return JSONResponse(retried.job.answer().body() | warned, 202)
