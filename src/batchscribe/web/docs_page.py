"""`/docs`: Swagger UI for the HTTP interface, from our own files."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.web.site import Site


def docs_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/docs")
    def docs(request: Request) -> Response:
        return site.page(request, "docs.html")

    return router
