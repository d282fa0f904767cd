"""The page of a job: its progress, its files, its webhook deliveries and its request."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.connect import Connection
from batchscribe.database.delivery_rows import deliveries_of
from batchscribe.database.job_rows import get_job_of
from batchscribe.database.sealed import has_secret, names_of_secrets
from batchscribe.jobs.model import Job
from batchscribe.stages.deliver import WEBHOOK
from batchscribe.stages.sealed_credentials import needed_secrets
from batchscribe.web.asked_credentials import AskedSide, asked_sides
from batchscribe.web.file_list import FilesPage, Wanted, read_files
from batchscribe.web.job_view import JobView
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site
from batchscribe.web.wording import shown_uri
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import FileState

CHANGES_CHARS = 16


@dataclass(frozen=True, slots=True)
class LiveJob:
    """The part of the page that changes while the job runs."""

    view: JobView
    changes: str  #: equal as long as nothing in this part changes, except the time until the end
    sides: tuple[AskedSide, ...]  #: whose credentials can be sent again
    missing: frozenset[str]  #: names of the secrets without which an ended job cannot be retried

    @classmethod
    def of(cls, connection: Connection, job: Job) -> LiveJob:
        view, needed = JobView.of(job), needed_secrets(job)
        missing = needed - names_of_secrets(connection, job) if view.can_be_retried else frozenset()
        body = view.answer.body()
        shown = {name: body.get(name) for name in ("state", "summary", "error", "waiting_for", "usage")}
        shown |= {"position": view.answer.progress.queue_position, "missing": sorted(missing)}
        digest = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
        return cls(view, digest[:CHANGES_CHARS], asked_sides(job, needed), missing)


def read_live_job(connection: Connection, tenant: str, job_id: str) -> LiveJob:
    """Raises `JobNotFound`."""
    return LiveJob.of(connection, get_job_of(connection, tenant, job_id))


def lines_of(request: JsonObject) -> list[tuple[str, str]]:
    """Return a part of a request as names and values to read. It has no secrets, because the echo has none."""
    return [(name, _text_of(value)) for name, value in request.items() if value not in (None, "", [], {})]


def _text_of(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return shown_uri(value) if "://" in value else value
        case list() | tuple():
            return _list(list(value))
        case dict():
            return "; ".join(f"{name}: {_text_of(each)}" for name, each in value.items() if each)
    return str(value)


MOST_LISTED = 20


def _list(values: list[object]) -> str:
    shown = "\n".join(_text_of(each) for each in values[:MOST_LISTED])
    return f"{shown}\n… and {len(values) - MOST_LISTED:,} more" if len(values) > MOST_LISTED else shown


def job_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/jobs/{job_id}")
    def show_job(
        request: Request, visitor: VisitorInTurn, job_id: str, state: str = "", name: str = "", after: int = 0
    ) -> Response:
        wanted = Wanted.of(state, name, after)
        with site.service.records.transaction() as connection:
            job = get_job_of(connection, visitor.tenant, job_id)
            files = read_files(connection, job, wanted)
            live = LiveJob.of(connection, job)
            deliveries = deliveries_of(connection, job.number)
            can_replay = bool(deliveries) and has_secret(connection, job, WEBHOOK)
        return site.page(
            request,
            "job.html",
            live=live,
            deliveries=[each.answer() for each in reversed(deliveries)],
            can_replay=can_replay,
            parts=[("Input", lines_of(dict(job.input))), ("Output", lines_of(job.output.echo())),
                   ("Configuration", lines_of(job.config.echo()))],
            **_files_context(job, files, wanted),
        )  # fmt: skip

    return router


def _files_context(job: Job, files: FilesPage, wanted: Wanted) -> dict[str, Any]:
    return {"files": files, "wanted": wanted, "job": JobView.of(job), "file_states": list(FileState)}
