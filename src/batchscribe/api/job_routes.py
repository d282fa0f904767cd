"""Routes for jobs: submit, list, show and cancel jobs, and renew the credentials of a running job."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BeforeValidator
from starlette.responses import JSONResponse, Response

from batchscribe.api.answer_bodies import DryRunBody, JobsBody, SubmittedBody
from batchscribe.api.auth import Tenant, TenantInTurn, empty_is_absent
from batchscribe.api.body import read_body
from batchscribe.api.fresh_credentials import read_fresh_credentials
from batchscribe.api.job_tokens import number_in, token_of_number
from batchscribe.api.openapi import answer, body_of, refusals
from batchscribe.api.service import Service
from batchscribe.api.unknown_names import report_unknown_fields
from batchscribe.database.job_rows import get_job_of, page_of_jobs
from batchscribe.errors import InvalidRequest, JobNotCancelable
from batchscribe.intake.checks import check_tenant_roots, find_engines
from batchscribe.intake.dry_run import dry_run
from batchscribe.intake.named_vocabulary import with_vocabulary
from batchscribe.intake.preview import Preview
from batchscribe.intake.submission import RequestTrace, Submission, read_request
from batchscribe.intake.submit import IdempotencyKey, submit
from batchscribe.stages.finish import cancel_served_job
from batchscribe.stages.purge import delete_job
from batchscribe.stages.sealed_credentials import renew_credentials
from batchscribe.stages.settle import wait_settled
from batchscribe.wire.answers import JobAnswer, timestamp
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState
from batchscribe.wire.credentials import CredentialsRequest
from batchscribe.wire.request import JobRequest, parse_job_request
from batchscribe.wire.trace_context import read_traceparent
from batchscribe.wire.unknown_fields import find_unknown_fields

PAGE_JOBS = 50  # contract 1.1
MAX_IDEMPOTENCY_CHARS = 255
SETTLE_SEC = 2.0  #: for transcripts that are being written when a job is canceled, so that the next response is final


def _with_alias(value: Any) -> Any:
    return JobState.CANCELED if value == "CANCELLED" else value  # some clients send this (contract 10)


StateQuery = Annotated[JobState | None, BeforeValidator(_with_alias), BeforeValidator(empty_is_absent), Query()]
PageSize = Annotated[int | None, Query(ge=1)]
TokenQuery = Annotated[str | None, Query(description="`next_page_token` of the previous page.")]


def jobs_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.post(
        "/jobs",
        operation_id="submitBatchAsr",
        summary="Submit a job",
        status_code=201,
        response_model=None,
        responses={
            200: answer(DryRunBody, "With dry_run=true: what the job would do."),
            201: answer(SubmittedBody, "The job was created."),
            **refusals(400, 401, 409, 413, 415, 429, 500, 503),
        },
        openapi_extra={"requestBody": body_of(JobRequest)},
    )
    async def submit_job(
        request: Request,
        tenant: Tenant,
        dry_run: Annotated[bool, Query(description="Create no job; only return what it would do.")] = False,
        idempotency_key: Annotated[
            str | None, Header(description="Repeating a key and body within 24 hours returns the same job.")
        ] = None,
        traceparent: Annotated[
            str | None, Header(description="W3C trace context. The traces of the job's files link to it.")
        ] = None,
    ) -> Response:
        submitted_by = RequestTrace(request.state.tracking_id, read_traceparent(traceparent))
        with service.body_room.of(tenant) as take:
            body = await read_body(request, service.settings.max_body_bytes, take)
            if not dry_run:
                return await service.turns.look_at_body(
                    tenant, lambda: _submit(service, tenant, body.parse(), idempotency_key, submitted_by)
                )
            submission = await service.turns.look_at_body(
                tenant, lambda: read_submission(service, tenant, body.parse())
            )
        limit_sec = service.settings.dry_run_max_sec
        return await service.slow_requests.answer(tenant, limit_sec, lambda: _preview(service, submission))

    @router.get(
        "/jobs",
        operation_id="listBatchJobs",
        summary="List jobs, newest first",
        response_model=None,
        responses={200: answer(JobsBody), **refusals(400, 401, 429, 500, 503)},
    )
    def list_jobs(
        tenant: TenantInTurn,
        state: StateQuery = None,
        page_size: PageSize = None,
        next_page_token: TokenQuery = None,
        next_cursor: TokenQuery = None,
    ) -> Response:
        limit = page_limit(page_size, PAGE_JOBS, service.settings.max_page_jobs)
        return JSONResponse(_page(service, tenant, state, limit, next_page_token or next_cursor))

    @router.get(
        "/jobs/{job_id}",
        operation_id="getBatchJobStatus",
        summary="Show a job",
        response_model=None,
        responses={200: answer(JobAnswer), **refusals(400, 401, 404, 429, 500, 503)},
    )
    def show_job(tenant: TenantInTurn, job_id: str) -> Response:
        with service.records.transaction() as connection:
            job = get_job_of(connection, tenant, job_id)
        return JSONResponse(job.answer().body())

    @router.delete(
        "/jobs/{job_id}",
        operation_id="cancelBatchJob",
        summary="Cancel a job, or delete it",
        status_code=204,
        response_model=None,
        responses={204: {"description": "The job was canceled or deleted."}, **refusals(400, 401, 404, 429, 500, 503)},
    )
    def cancel(
        tenant: TenantInTurn,
        job_id: str,
        purge: Annotated[
            bool, Query(description="Delete the job and everything stored about it. Transcripts in storage are kept.")
        ] = False,
    ) -> Response:
        with service.records.transaction() as connection:
            job = get_job_of(connection, tenant, job_id)
        if purge:
            delete_job(job, service.records)
            return Response(status_code=204)
        if not cancel_served_job(job, service.records):
            raise JobNotCancelable(f"{job.job_id} has already ended, so it cannot be canceled.")
        wait_settled(job, service.records, within_sec=SETTLE_SEC)
        return Response(status_code=204)

    return router


def _submit(service: Service, tenant: str, body: JsonObject, key: str | None, submitted_by: RequestTrace) -> Response:
    request = parse_job_request(body, service.limits)
    idempotency = read_idempotency_key(key, body)
    submission = read_request(request, tenant=tenant, settings=service.settings, submitted_by=submitted_by)
    job = submit(submission, service.records, service.settings, idempotency=idempotency)
    submitted = {
        "job_id": job.job_id,
        "state": JobState.QUEUED.value,  # also if the key was used before: the response is the same
        "submitted_at": timestamp(job.submitted_at),
    }
    unknown = report_unknown_fields(JobRequest, body, job_id=job.job_id, tenant=tenant)
    warnings = [*submission.warnings, *unknown.warnings]
    warned: JsonObject = {"warnings": warnings} if warnings else {}
    return JSONResponse(submitted | warned, 201)


def read_submission(service: Service, tenant: str, body: JsonObject) -> Submission:
    """Check the body of a request for a dry run. Raises `InvalidRequest`."""
    request = parse_job_request(body, service.limits)
    submission = read_request(request, tenant=tenant, settings=service.settings)
    check_tenant_roots(submission, service.records, service.settings)
    submission = with_vocabulary(submission, service.records)
    return replace(submission, warnings=submission.warnings + find_unknown_fields(JobRequest, body).warnings)


def _preview(service: Service, submission: Submission) -> Response:
    return JSONResponse(preview(service, submission).body())


def preview(service: Service, submission: Submission) -> Preview:
    """Look at the storage of a job, in a thread for slow requests. Raises as `dry_run` does."""
    return dry_run(submission, service.settings, find_engines(submission, service.records, service.settings))


def read_idempotency_key(key: str | None, body: JsonObject) -> IdempotencyKey | None:
    """Return the key with the content of its request; None without a key. Raises `InvalidRequest`."""
    return None if key is None else IdempotencyKey(_check_key(key), _canonical(body))


def _check_key(key: str) -> str:
    if not 1 <= len(key) <= MAX_IDEMPOTENCY_CHARS or not key.isprintable() or not key.isascii():
        sentence = f"Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_CHARS} printable ASCII characters."
        raise InvalidRequest(sentence, field="Idempotency-Key")
    return key


def _canonical(body: JsonObject) -> bytes:
    """Serialize the body so that spaces and the order of fields do not matter."""
    return json.dumps(body, sort_keys=True).encode()


def _page(service: Service, tenant: str, state: JobState | None, limit: int, token: str | None) -> JsonObject:
    with service.records.transaction() as connection:
        before = number_in(token, connection, service.records.keyring, tenant) if token else None
        jobs, last = page_of_jobs(connection, tenant, before=before, limit=limit, state=state)
    page: JsonObject = {"jobs": [job.answer().body() for job in jobs]}
    return page | next_page(token_of_number(last, service.records.keyring, tenant) if last is not None else "")


def page_limit(asked: int | None, default: int, most: int) -> int:
    """Return the page size. Raises `InvalidRequest`."""
    if asked is not None and asked > most:
        raise InvalidRequest(f"page_size must be at most {most}.", field="page_size")
    return asked or min(default, most)


def next_page(token: str) -> JsonObject:
    """Return the token's fields. On the last page the token is empty and its alias is omitted (contract 1.5)."""
    return {"next_page_token": token, "next_cursor": token} if token else {"next_page_token": ""}


def credentials_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.put(
        "/jobs/{job_id}/credentials",
        operation_id="renewBatchJobCredentials",
        summary="Send fresh credentials for a job",
        status_code=204,
        response_model=None,
        responses={
            204: {"description": "The credentials were replaced, and files that waited for them continue."},
            **refusals(400, 401, 404, 413, 415, 429, 500, 503),
        },
        openapi_extra={"requestBody": body_of(CredentialsRequest)},
    )
    async def renew(request: Request, tenant: Tenant, job_id: str) -> Response:
        with service.body_room.of(tenant) as take:
            body = await read_body(request, service.settings.max_body_bytes, take)
            return await service.turns.look_at_body(tenant, lambda: _renew(service, tenant, job_id, body.parse()))

    return router


def _renew(service: Service, tenant: str, job_id: str, body: JsonObject) -> Response:
    renew_from(service, tenant, job_id, body)
    return Response(status_code=204)


def renew_from(service: Service, tenant: str, job_id: str, body: JsonObject) -> None:
    """Renew the credentials of a job. Raises `JobNotFound`, `InvalidRequest`, `JobEnded`."""
    with service.records.transaction() as connection:
        job = get_job_of(connection, tenant, job_id)
    renew_credentials(service.records, job, read_fresh_credentials(job, body))
    report_unknown_fields(CredentialsRequest, body, job_id=job_id, tenant=tenant)
