"""The route for what a tenant used, by day."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from starlette.responses import JSONResponse, Response

from batchscribe.api.answer_bodies import TenantUsageBody
from batchscribe.api.auth import TenantInTurn, empty_is_absent
from batchscribe.api.openapi import answer, refusals
from batchscribe.api.service import Service
from batchscribe.database.usage_rows import Usage, total_usage, usage_by_day
from batchscribe.errors import InvalidRequest
from batchscribe.wire.base import JsonObject

SHOWN_DAYS = 30  #: by default

DayQuery = Annotated[date | None, BeforeValidator(empty_is_absent)]


def usage_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["usage"])

    @router.get(
        "/usage",
        operation_id="getUsage",
        summary="Show the usage of the tenant by day",
        response_model=None,
        responses={200: answer(TenantUsageBody), **refusals(400, 401, 429, 500, 503)},
    )
    def show_usage(
        tenant: TenantInTurn,
        since: Annotated[
            DayQuery, Query(alias="from", description=f"The first day (UTC), by default {SHOWN_DAYS} days with `to`.")
        ] = None,
        until: Annotated[DayQuery, Query(alias="to", description="The last day (UTC), by default today.")] = None,
    ) -> Response:
        return JSONResponse(_usage(service, tenant, since, until))

    return router


def _usage(service: Service, tenant: str, since: date | None, until: date | None) -> JsonObject:
    until = until or datetime.now(UTC).date()
    since = since or until - timedelta(days=min(SHOWN_DAYS - 1, (until - date.min).days))
    if since > until:
        raise InvalidRequest("`from` must not be after `to`.", field="from")
    with service.records.transaction() as connection:
        days = usage_by_day(connection, tenant, since, until)
        total = total_usage(connection, tenant)
    return {
        "from": since.isoformat(),
        "to": until.isoformat(),
        "days": [{"day": each.day.isoformat(), **_body(each.usage)} for each in days],
        "total": _body(total),
    }


def _body(usage: Usage) -> JsonObject:
    rounded = {"audio_sec": round(usage.audio_sec, 3), "compute_sec": round(usage.compute_sec, 3)}
    return asdict(usage) | rounded
