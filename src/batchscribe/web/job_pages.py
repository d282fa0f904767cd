"""The pages about jobs."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.job_rows import page_of_jobs
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site

PAGE_JOBS = 50


def jobs_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    def list_jobs(request: Request, visitor: VisitorInTurn) -> Response:
        with site.service.records.transaction() as connection:
            jobs, _ = page_of_jobs(connection, visitor.tenant, before=None, limit=PAGE_JOBS)
        return site.page(request, "jobs.html", jobs=[job.answer() for job in jobs])

    return router
