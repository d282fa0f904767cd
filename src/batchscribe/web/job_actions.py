"""What a visitor does with a job: cancel, retry or delete it, renew its credentials, send a webhook again."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.api.fresh_credentials import read_optional_credentials
from batchscribe.api.job_routes import SETTLE_SEC, renew_from
from batchscribe.database.job_rows import get_job_of
from batchscribe.stages.deliver import replay
from batchscribe.stages.finish import cancel_served_job
from batchscribe.stages.purge import delete_job
from batchscribe.stages.retry import NO_WEBHOOK, retry_job
from batchscribe.stages.settle import wait_settled
from batchscribe.web.forms import SubmittedForm
from batchscribe.web.job_form import credentials_in
from batchscribe.web.job_page import SILENTLY
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site, go_to


def job_actions_router(site: Site) -> APIRouter:
    router = APIRouter()
    records = site.service.records

    @router.post("/jobs/{job_id}/cancel")
    def cancel(request: Request, visitor: VisitorInTurn, job_id: str) -> Response:
        with records.transaction() as connection:
            job = get_job_of(connection, visitor.tenant, job_id)
        if cancel_served_job(job, records):
            wait_settled(job, records, within_sec=SETTLE_SEC)
        return go_to(request, f"/jobs/{job.job_id}")  # a job that has ended meanwhile is simply shown

    @router.post("/jobs/{job_id}/retry")
    def retry(request: Request, visitor: VisitorInTurn, job_id: str, form: SubmittedForm) -> Response:
        with records.transaction() as connection:
            job = get_job_of(connection, visitor.tenant, job_id)
        credentials = read_optional_credentials(job, credentials_in(form))
        silent_sec = site.service.settings.silent_sec
        retried = retry_job(job, records, silent_sec=silent_sec, credentials=credentials)
        warned = f"?retried={SILENTLY}" if NO_WEBHOOK in retried.warnings else ""
        return go_to(request, f"/jobs/{job.job_id}{warned}")

    @router.post("/jobs/{job_id}/delete")
    def delete(request: Request, visitor: VisitorInTurn, job_id: str) -> Response:
        with records.transaction() as connection:
            job = get_job_of(connection, visitor.tenant, job_id)
        delete_job(job, records)
        return go_to(request, "/")

    @router.post("/jobs/{job_id}/credentials")
    def renew(request: Request, visitor: VisitorInTurn, job_id: str, form: SubmittedForm) -> Response:
        renew_from(site.service, visitor.tenant, job_id, credentials_in(form))
        return go_to(request, f"/jobs/{job_id}")

    @router.post("/jobs/{job_id}/deliveries/{event_id}/replay")
    def replay_delivery(request: Request, visitor: VisitorInTurn, job_id: str, event_id: str) -> Response:
        with records.transaction() as connection:
            job = get_job_of(connection, visitor.tenant, job_id)
        replay(job, event_id, records)
        return go_to(request, f"/jobs/{job.job_id}#deliveries")

    return router
