"""Routes that answer scripts of the page with data: their errors, and the threads in which they wait."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from batchscribe.api.error_answers import body_of, headers_of, status_of
from batchscribe.api.service import SlowRequests
from batchscribe.errors import BatchscribeError, BucketNotFound, CredentialsNeeded, ObjectNotFound
from batchscribe.web.audio_answer import PRIVATE
from batchscribe.web.reader_access import fields_for
from batchscribe.web.reading import ANSWER_SEC

Answer = TypeVar("Answer")

FILE_PATH = "/jobs/{job_id}/files/{file_id}"
#: Requests of one tenant that read at once: a few people, each with a recording that plays and a page that loads.
PER_TENANT = 8
WAIT_SEC = 10.0  #: for a place, before the request is refused


class DataRoute(APIRoute):
    """A route that answers a script's errors as JSON, like the HTTP interface, with the fields of the access form."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def handle_or_refuse(request: Request) -> Response:
            try:
                answer: Response = await handle(request)
            except BatchscribeError as error:
                if "text/html" in request.headers.get("accept", ""):
                    raise  # a person follows a link, and gets a page
                return _refuse(error)
            return answer

        return handle_or_refuse


def _refuse(error: BatchscribeError) -> Response:
    """Unlike in requests for jobs, a missing object is what was asked for, and not a mistake in the request."""
    status, body = status_of(error), body_of(error)
    if isinstance(error, ObjectNotFound | BucketNotFound):
        status, body["code"] = HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.value
    if isinstance(error, CredentialsNeeded):
        body["access"] = fields_for(error)
    return JSONResponse(body, status, {**PRIVATE, **headers_of(error)})


class ReadingThreads:
    """Threads for requests that wait for storage. Separate from those of dry runs, so that neither delays the other."""

    def __init__(self) -> None:
        self._requests = SlowRequests(per_tenant=PER_TENANT, what="requests to read transcripts", wait_sec=WAIT_SEC)

    async def answer(self, tenant: str, work: Callable[[], Answer]) -> Answer:
        return await self._requests.answer(tenant, ANSWER_SEC, work)
