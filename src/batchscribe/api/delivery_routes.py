"""Routes for the webhook events of a job: list their deliveries, and send one again."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from batchscribe.api.answer_bodies import DeliveriesBody
from batchscribe.api.auth import TenantInTurn
from batchscribe.api.openapi import answer, refusals
from batchscribe.api.service import Service
from batchscribe.database.job_rows import get_job_of
from batchscribe.stages.deliver import replay
from batchscribe.stages.delivery_log import deliveries_body
from batchscribe.wire.delivery_answers import DeliveryAnswer


def deliveries_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.get(
        "/jobs/{job_id}/deliveries",
        operation_id="listBatchJobDeliveries",
        summary="List the webhook events of a job, with the attempts to deliver them",
        response_model=None,
        responses={200: answer(DeliveriesBody), **refusals(400, 401, 404, 429, 500, 503)},
    )
    def list_deliveries(tenant: TenantInTurn, job_id: str) -> Response:
        with service.records.transaction() as connection:
            body = deliveries_body(connection, get_job_of(connection, tenant, job_id))
        return JSONResponse(body)

    @router.post(
        "/jobs/{job_id}/deliveries/{event_id}/replay",
        operation_id="replayBatchJobDelivery",
        summary="Send a webhook event again",
        status_code=202,
        response_model=None,
        responses={
            202: answer(DeliveryAnswer, "The event is being sent again."),
            **refusals(400, 401, 404, 409, 429, 500, 503),
        },
    )
    def replay_delivery(tenant: TenantInTurn, job_id: str, event_id: str) -> Response:
        with service.records.transaction() as connection:
            job = get_job_of(connection, tenant, job_id)
        return JSONResponse(replay(job, event_id, service.records).answer().body(), 202)

    return router
