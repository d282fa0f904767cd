"""Routes for operators: `/metrics`, `/healthz` and `/readyz`.

`/metrics` needs no key, but its labels contain tenant names, so only the operator's networks can read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from batchscribe.api.answer_bodies import HealthBody
from batchscribe.api.openapi import answer, refusals
from batchscribe.api.service import Service
from batchscribe.database.schema import check_schema
from batchscribe.worker.gauges import registry_of

Networks = Iterable[IPv4Network | IPv6Network]


def metrics_router(service: Service) -> APIRouter:
    router = APIRouter()
    registry = registry_of(service.records, service.settings)
    networks = service.settings.metrics_allow_networks

    @router.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        if not comes_from(request, networks):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return _render(request, registry)

    return router


def metrics_app(registry: CollectorRegistry) -> ASGIApp:
    """Create an application that serves the metrics under any path, for a process without an HTTP interface."""

    def metrics(request: Request) -> Response:
        return _render(request, registry)

    return Starlette(routes=[Route("/{path:path}", metrics)])


def _render(request: Request, registry: CollectorRegistry) -> Response:
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"Content-Type": content_type})


def comes_from(request: Request, networks: Networks) -> bool:
    """Return whether the client and all addresses in `X-Forwarded-For` are in these networks.

    Returns False for a request with the header `Forwarded`. A proxy that sends neither header looks like a client, so
    it must not forward requests for `/metrics`.
    """
    if request.client is None or "forwarded" in request.headers:
        return False
    forwarded_for = request.headers.getlist("x-forwarded-for")
    addresses = [part.strip() for line in forwarded_for for part in line.split(",")]
    return all(_is_in(address, networks) for address in [request.client.host, *addresses])


def _is_in(address: str, networks: Networks) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None) or ip  # a dual-stack socket reports IPv4 clients as ::ffff:10.0.0.1
    return any(mapped in network for network in networks)


def health_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get(
        "/healthz",
        operation_id="healthz",
        summary="Check that the process runs",
        response_model=None,
        responses={200: answer(HealthBody)},
    )
    @router.head("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @router.get(
        "/readyz",
        operation_id="readyz",
        summary="Check that the database answers with the schema of this release, and that the machine can transcribe",
        response_model=None,
        responses={200: answer(HealthBody), **refusals(503)},
    )
    @router.head("/readyz", include_in_schema=False)
    def readyz() -> Response:
        check_schema(service.records.database)
        if service.health is not None:
            service.health.check_any()
        return JSONResponse({"status": "ok"})

    return router
