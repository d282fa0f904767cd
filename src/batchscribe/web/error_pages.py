"""Errors as pages. Scripts, which do not ask for HTML, get the JSON body of the HTTP interface."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from batchscribe import errors
from batchscribe.api.error_answers import answer_of, headers_of, status_of
from batchscribe.database.connect import DATABASE_TROUBLE, cause_of
from batchscribe.web.reader_access import fields_for
from batchscribe.web.site import Site, go_to, root_of
from batchscribe.wire.mistakes import describe_mistakes

log = structlog.get_logger()


def add_error_pages(app: FastAPI, site: Site) -> None:
    """Register the handlers that turn every error of a page into an answer."""

    async def answer(request: Request, error: Exception) -> Response:
        return answer_error(site, request, _ours(error))

    for kind in (errors.BatchscribeError, RequestValidationError, HTTPException, *DATABASE_TROUBLE, Exception):
        app.add_exception_handler(kind, answer)


def answer_error(site: Site, request: Request, error: errors.BatchscribeError) -> Response:
    accepted = request.headers.get("accept", "")
    if "text/html" not in accepted or "text/event-stream" in accepted:
        return answer_of(error)  # an event stream of a page must see the status, or else it connects again and again
    if isinstance(error, errors.AccessTokenInvalid):
        return _to_sign_in(request)
    status = status_of(error)
    page = site.page(
        request, "error.html", status=status, error=error, status_code=status.value, **_download_context(request, error)
    )
    page.headers.update(headers_of(error))
    return page


def _download_context(request: Request, error: errors.BatchscribeError) -> dict[str, Any]:
    """Return the job and the file of a download that failed, and the fields of the credentials that it needs."""
    path = request.path_params if "format_name" in request.path_params else {}
    access = fields_for(error) if path and isinstance(error, errors.CredentialsNeeded) else []
    return {"job_id": path.get("job_id"), "file_id": path.get("file_id"), "access": access}


def _to_sign_in(request: Request) -> Response:
    """Redirect to the form, which leads back. A part of a page asks the browser to leave the whole page."""
    asked = f"{request.url.path}?{request.url.query}".rstrip("?") if request.method == "GET" else ""
    if "hx-request" in request.headers:
        return Response(status_code=HTTPStatus.OK, headers={"HX-Redirect": f"{root_of(request)}/signin"})
    return go_to(request, f"/signin?next={quote(asked, safe='')}" if asked else "/signin")


def _ours(error: Exception) -> errors.BatchscribeError:
    match error:
        case errors.BatchscribeError():
            return error
        case RequestValidationError():
            return describe_mistakes(error.errors(), from_part=1)
        case HTTPException(status_code=HTTPStatus.NOT_FOUND):
            return errors.RouteNotFound("This page does not exist; check the address, or start from the list of jobs.")
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            return errors.MethodNotAllowed("This address cannot be opened in this way; go back and try again.")
        case _ if isinstance(error, DATABASE_TROUBLE):
            log.error("database.trouble", error=cause_of(error))
            return errors.DatabaseUnavailable("The database does not answer; try again in a moment.")
    return errors.InternalError("Internal error; the server's log has the details.")
