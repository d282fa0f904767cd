"""The page of a job: its progress, its files, its webhook deliveries and its request."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.job_rows import get_job_of
from batchscribe.stages.retry import NO_WEBHOOK
from batchscribe.web.file_list import Wanted
from batchscribe.web.live_job import LiveJob
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site
from batchscribe.web.wording import shown_uri
from batchscribe.wire.base import JsonObject

SILENTLY = "silently"  #: in the address after a retry whose end no webhook event announces


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
        request: Request,
        visitor: VisitorInTurn,
        job_id: str,
        state: str = "",
        name: str = "",
        after: int = 0,
        retried: str = "",
    ) -> Response:
        wanted = Wanted.of(state, name, after)
        with site.service.records.transaction() as connection:
            job = get_job_of(connection, visitor.tenant, job_id)
            live = LiveJob.of(connection, job)
            context = live.context(connection, wanted)
        return site.page(
            request,
            "job.html",
            is_silent=retried == SILENTLY and not live.can_replay,
            no_webhook=NO_WEBHOOK,
            parts=[("Input", lines_of(dict(job.input))), ("Output", lines_of(job.output.echo())),
                   ("Configuration", lines_of(job.config.echo()))],
            **context,
        )  # fmt: skip

    return router
