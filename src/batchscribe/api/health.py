"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from batchscribe.api.schema import HealthBody, refusals
from batchscribe.api.service import Service
from batchscribe.database.schema import check_schema


def health_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get(
        "/healthz",
        operation_id="healthz",
        summary="The process lives",
        response_model=None,
        responses={200: {"model": HealthBody}},
    )
    @router.head("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @router.get(
        "/readyz",
        operation_id="readyz",
        summary="The process can serve: its database answers and has the schema of this release, and its machine can "
        "transcribe",
        response_model=None,
        responses={200: {"model": HealthBody}, **refusals(503)},
    )
    @router.head("/readyz", include_in_schema=False)
    def readyz() -> Response:
        check_schema(service.records.engine)
        if service.fitness is not None:
            service.fitness.check_any()
        return JSONResponse({"status": "ok"})

    return router
