"""The HTTP interface for programs: the routes under both prefixes of the contract."""

from __future__ import annotations

from fastapi import FastAPI

from batchscribe import __version__
from batchscribe.api.auth import SECURITY
from batchscribe.api.delivery_routes import deliveries_router
from batchscribe.api.error_answers import add_refusals
from batchscribe.api.file_routes import files_router
from batchscribe.api.job_routes import credentials_router, jobs_router
from batchscribe.api.metrics_route import health_router, metrics_router
from batchscribe.api.openapi import add_schemas
from batchscribe.api.retry_routes import retry_router
from batchscribe.api.search_routes import search_router
from batchscribe.api.service import Service
from batchscribe.api.usage_routes import usage_router
from batchscribe.api.vocabulary_routes import vocabularies_router

PREFIX = "/aiservices/scribe"
ASSETS_PREFIX = "/aiservices/assets"
VERSION = "/v2"  # contract 1


def create_api(service: Service) -> FastAPI:
    """Create the application. `/docs` is a page: see `batchscribe.web`."""
    app = FastAPI(
        title="batchscribe",
        summary="Batch speech transcription: recordings in object storage in, transcripts out.",
        version=__version__,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    of_jobs = (
        jobs_router,
        credentials_router,
        retry_router,
        files_router,
        deliveries_router,
        usage_router,
        search_router,
    )
    routers = [(PREFIX, router(service)) for router in of_jobs]
    routers.append((ASSETS_PREFIX, vocabularies_router(service)))
    for version in (VERSION, ""):
        for prefix, router in routers:
            is_shown = version == VERSION
            app.include_router(router, prefix=version + prefix, dependencies=SECURITY, include_in_schema=is_shown)
    app.include_router(health_router(service))
    app.include_router(metrics_router(service))
    add_schemas(app)
    add_refusals(app)
    return app
