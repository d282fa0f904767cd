"""The list of jobs."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.connect import Connection
from batchscribe.database.job_changes import changes_of_tenant
from batchscribe.database.job_rows import get_job_of, page_of_jobs
from batchscribe.errors import JobNotFound
from batchscribe.jobs.model import Job
from batchscribe.web.job_view import JobView
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site
from batchscribe.wire.choices import JobState

PAGE_JOBS = 25


@dataclass(frozen=True, slots=True)
class JobsPage:
    """One page of the list, newest first. `before` is the job ID that the next page continues after."""

    jobs: list[JobView]
    before: str | None
    changes: str  #: equal as long as no job of the tenant changes


def read_jobs(connection: Connection, tenant: str, state: JobState | None, before: str | None) -> JobsPage:
    # First, so that what happens before the next query counts as a change again, and is not missed.
    changes = changes_of_tenant(connection, tenant)
    found, has_more = page_of_jobs(
        connection, tenant, before=_number_of(connection, tenant, before), limit=PAGE_JOBS, state=state
    )
    return JobsPage([JobView.of(job) for job in found], found[-1].job_id if found and has_more else None, changes)


def _number_of(connection: Connection, tenant: str, job_id: str | None) -> int | None:
    """Return the number of a job. A job that was deleted meanwhile leads to the first page."""
    if not job_id:
        return None
    try:
        last: Job = get_job_of(connection, tenant, job_id)
    except JobNotFound:
        return None
    return last.number


def read_state(value: str) -> JobState | None:
    """Return the state in a query; None for all states, also if the value is unknown."""
    return JobState(value) if value in set(JobState) else None


def job_list_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    def list_jobs(request: Request, visitor: VisitorInTurn, state: str = "", before: str = "") -> Response:
        wanted = read_state(state)
        with site.service.records.transaction() as connection:
            page = read_jobs(connection, visitor.tenant, wanted, before)
        return site.page(request, "jobs.html", page=page, state=wanted, states=list(JobState), is_first=not before)

    return router
