"""The list of jobs."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.api.job_tokens import number_in, token_of_number
from batchscribe.database.connect import Connection
from batchscribe.database.job_changes import changes_of_tenant
from batchscribe.database.job_rows import page_of_jobs
from batchscribe.database.sealed import Keyring
from batchscribe.errors import InvalidRequest
from batchscribe.web.job_view import JobView
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site
from batchscribe.wire.choices import JobState

PAGE_JOBS = 25


@dataclass(frozen=True, slots=True)
class JobsPage:
    """One page of the list, newest first. `before` is the token that the next page continues after."""

    jobs: list[JobView]
    before: str
    changes: str  #: equal as long as no job of the tenant changes


def read_jobs(connection: Connection, keyring: Keyring, tenant: str, state: JobState | None, before: str) -> JobsPage:
    """Raises `InvalidRequest` for a token that is not of this list."""
    # The changes are read first: what happens in between is then a change again, and is not missed.
    changes = changes_of_tenant(connection, tenant)
    number = _number_in(before, connection, keyring, tenant) if before else None
    found, last = page_of_jobs(connection, tenant, before=number, limit=PAGE_JOBS, state=state)
    token = "" if last is None else token_of_number(last, keyring, tenant)
    return JobsPage([JobView.of(job) for job in found], token, changes)


def _number_in(token: str, connection: Connection, keyring: Keyring, tenant: str) -> int:
    try:
        return number_in(token, connection, keyring, tenant)
    except InvalidRequest:
        sentence = "This is not the address of a page of the list of jobs; start from its first page."
        raise InvalidRequest(sentence, field="before") from None


def read_state(value: str) -> JobState | None:
    """Return the state in a query; None for all states, also if the value is unknown."""
    return JobState(value) if value in set(JobState) else None


def job_list_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    def list_jobs(request: Request, visitor: VisitorInTurn, state: str = "", before: str = "") -> Response:
        wanted = read_state(state)
        with site.service.records.transaction() as connection:
            page = read_jobs(connection, site.service.records.keyring, visitor.tenant, wanted, before)
        return site.page(request, "jobs.html", page=page, state=wanted, states=list(JobState), is_first=not before)

    return router
