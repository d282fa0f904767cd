"""The form for a new job, with a dry run."""

from __future__ import annotations

import hashlib
import json
import secrets
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from batchscribe.api.job_routes import preview, read_submission
from batchscribe.database.vocabulary_rows import page_of_vocabularies
from batchscribe.errors import BatchscribeError, InvalidRequest, Mistake
from batchscribe.intake.submission import RequestTrace, read_request
from batchscribe.intake.submit import IdempotencyKey, submit
from batchscribe.web.forms import Form, SubmittedForm
from batchscribe.web.job_form import ALL_FORMATS, FORMATS, SWITCHES, body_of_form, field_of, values_of
from batchscribe.web.sessions import CurrentVisitor, VisitorInTurn
from batchscribe.web.site import Site, go_to, root_of
from batchscribe.wire.base import JsonObject
from batchscribe.wire.request import parse_job_request

MOST_VOCABULARIES = 100
KEY_BYTES = 12
LANGUAGE = "config.language"
#: On in a new form: the reader lights words by their times and marks doubtful ones.
FOR_READER = ("config.word_time_offsets", "config.word_confidence")


def submit_router(site: Site) -> APIRouter:
    router = APIRouter()
    service = site.service

    def show(request: Request, tenant: str, form: Form, **found: object) -> Response:
        """Show the form with what was sent, and the result of a dry run or the mistakes."""
        with service.records.transaction() as connection:
            vocabularies, _ = page_of_vocabularies(connection, tenant, before=None, limit=MOST_VOCABULARIES)
        context: dict[str, Any] = {"preview": None, "mistakes": [], **found}
        mistakes: list[Mistake] = context["mistakes"]
        if "hx-request" in request.headers:
            return site.page(request, "parts/submit_answer.html", field_of=field_of, **context)
        return site.page(
            request,
            "submit.html",
            status=HTTPStatus.BAD_REQUEST if mistakes else HTTPStatus.OK,
            values=values_of(form),
            on=frozenset(name for name in SWITCHES if name in form),
            formats=frozenset(form.getlist(FORMATS)),
            all_formats=ALL_FORMATS,
            vocabularies=vocabularies,
            key=form.get("key") or secrets.token_hex(KEY_BYTES),
            by_field={field_of(each.field): each.message for each in reversed(mistakes)},
            has_auth_mistake=any(".auth" in field_of(each.field) for each in mistakes),
            field_of=field_of,
            **context,
        )

    def create(request: Request, tenant: str, form: Form, body: JsonObject) -> Response:
        parsed = parse_job_request(body, service.limits)
        submitted_by = RequestTrace(request.state.tracking_id)
        submission = read_request(parsed, tenant=tenant, settings=service.settings, submitted_by=submitted_by)
        job = submit(submission, service.records, service.settings, idempotency=_idempotency(form, body))
        path = f"/jobs/{job.job_id}"
        if "hx-request" in request.headers:
            return Response(headers={"HX-Redirect": f"{root_of(request)}{path}"})
        return go_to(request, path)

    @router.get("/submit")
    def show_form(request: Request, visitor: VisitorInTurn) -> Response:
        return show(request, visitor.tenant, Form({LANGUAGE: "en-US"} | dict.fromkeys(FOR_READER, "on")))

    @router.post("/submit")
    async def submit_or_preview(request: Request, visitor: CurrentVisitor, form: SubmittedForm) -> Response:
        tenant, turns = visitor.tenant, service.turns
        try:
            body = body_of_form(form)
            if form.get("action") != "dry_run":
                return await turns.look_at_body(tenant, lambda: create(request, tenant, form, body))
            submission = await turns.look_at_body(tenant, lambda: read_submission(service, tenant, body))
            found = await service.slow_requests.answer(
                tenant, service.settings.dry_run_max_sec, lambda: preview(service, submission)
            )
        except BatchscribeError as error:
            mistakes = error.mistakes if isinstance(error, InvalidRequest) else (Mistake("", error.message),)
            return await run_in_threadpool(show, request, tenant, form, mistakes=list(mistakes))
        return await run_in_threadpool(show, request, tenant, form, preview=found.body())

    return router


def _idempotency(form: Form, body: JsonObject) -> IdempotencyKey:
    """Return the key of a form. Sending the same form twice creates one job; a corrected form creates another."""
    content = json.dumps(body, sort_keys=True).encode()
    digest = hashlib.sha256(form.get("key", "").encode() + content).hexdigest()
    return IdempotencyKey(f"form-{digest}", content)
