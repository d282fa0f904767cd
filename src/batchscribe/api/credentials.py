"""PUT credentials: fresh ones for a job under way."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.api.asking import Tenant
from batchscribe.api.body import read_body
from batchscribe.api.schema import body_of, refusals
from batchscribe.api.service import Service
from batchscribe.database.job import get_job_of
from batchscribe.intake.submission import read_aws_keys
from batchscribe.wire.credentials import CredentialsRequest, parse_credentials
from batchscribe.wire.model import JsonObject
from batchscribe.work.credentials import INPUT, OUTPUT, renew_credentials


def credentials_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.put(
        "/jobs/{job_id}/credentials",
        operation_id="renewBatchJobCredentials",
        summary="Give a job fresh credentials",
        status_code=204,
        response_model=None,
        responses={
            204: {"description": "They took the place of the old ones, and what waited for them goes on."},
            **refusals(400, 401, 404, 413, 415, 429, 500, 503),
        },
        openapi_extra={"requestBody": body_of(CredentialsRequest)},
    )
    async def renew(request: Request, tenant: Tenant, job_id: str) -> Response:
        with service.body_room.of(tenant) as take:
            body = await read_body(request, service.settings.max_body_bytes, take)
            return await service.turns.look_at_body(tenant, lambda: _renew(service, tenant, job_id, body.parsed()))

    return router


def _renew(service: Service, tenant: str, job_id: str, body: JsonObject) -> Response:
    with service.records.transaction() as connection:
        job = get_job_of(connection, tenant, job_id)
    request = parse_credentials(body)
    sides = {INPUT: request.input, OUTPUT: request.output}
    brought = {name: aws for name, side in sides.items() if side and (aws := read_aws_keys(side.auth))}
    renew_credentials(service.records, job, brought)
    return Response(status_code=204)
