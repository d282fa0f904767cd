"""Error responses: their statuses and the one shape of their bodies (contract 2)."""

from __future__ import annotations

import re
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from batchscribe import errors
from batchscribe.database.connect import DATABASE_TROUBLE, cause_of
from batchscribe.wire.base import JsonObject
from batchscribe.wire.mistakes import describe_mistakes

log = structlog.get_logger()

AUTH_CODE, VALIDATION_CODE = 124, 300  # contract 2
TOKEN_REFUSED = "Invalid Access token"  # noqa: S105 - contract 2
VALIDATION_FAILED = "Validation Failed."  # contract 2
RETRY_AFTER_SEC = 5  #: if a part of the service is unavailable

#: The first class that matches counts.
STATUSES: dict[type[errors.BatchscribeError], HTTPStatus] = {
    errors.AccessTokenInvalid: HTTPStatus.UNAUTHORIZED,
    errors.ContentTypeNotAccepted: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.HeadTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.RequestTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.RouteNotFound: HTTPStatus.NOT_FOUND,
    errors.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.CrossSiteRequest: HTTPStatus.FORBIDDEN,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.JobNotFound: HTTPStatus.NOT_FOUND,
    errors.JobFileNotFound: HTTPStatus.NOT_FOUND,
    errors.VocabularyNotFound: HTTPStatus.NOT_FOUND,
    errors.KeyNotFound: HTTPStatus.NOT_FOUND,
    errors.TranscriptNotFound: HTTPStatus.NOT_FOUND,
    errors.WaveformNotFound: HTTPStatus.NOT_FOUND,
    errors.DeliveryNotFound: HTTPStatus.NOT_FOUND,
    errors.CredentialsNeeded: HTTPStatus.CONFLICT,
    errors.JobNotRetryable: HTTPStatus.CONFLICT,
    errors.FreshCredentialsNeeded: HTTPStatus.CONFLICT,
    errors.WebhookAddressGone: HTTPStatus.CONFLICT,
    errors.IdempotencyKeyReused: HTTPStatus.CONFLICT,
    errors.ServerBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EngineNotAvailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.MachineTrouble: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SchemaMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SecretKeyChanged: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageError: HTTPStatus.BAD_REQUEST,
    errors.UsageError: HTTPStatus.BAD_REQUEST,
}
VALIDATION_ERRORS = (errors.InvalidRequest, errors.MalformedBody, errors.ContentTypeNotAccepted)


def status_of(error: errors.BatchscribeError) -> HTTPStatus:
    found = (status for kind, status in STATUSES.items() if isinstance(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def body_of(error: errors.BatchscribeError) -> JsonObject:
    """Return `code`, `reason`, `message`; `errors` for invalid fields or credentials; `metadata` for rate limits."""
    body: JsonObject = {"code": _code(error), "reason": error.code, "message": error.message}
    if isinstance(error, errors.InvalidRequest):
        mistakes = [{"field": mistake.field, "message": mistake.message} for mistake in error.mistakes]
        body |= {"message": f"{VALIDATION_FAILED} {error.message}", "errors": mistakes}
    elif isinstance(error, errors.AccessTokenInvalid):
        mistakes = [{"field": "Authorization", "message": error.message}]
        body |= {"message": TOKEN_REFUSED, "errors": mistakes}
    elif isinstance(error, errors.TooManyRequests):
        body["metadata"] = {"retry_after_seconds": error.retry_after_sec}
    return body


def answer_of(error: errors.BatchscribeError) -> JSONResponse:
    return JSONResponse(body_of(error), status_of(error), headers_of(error))


def _code(error: errors.BatchscribeError) -> int:
    if isinstance(error, errors.AccessTokenInvalid):
        return AUTH_CODE
    return VALIDATION_CODE if isinstance(error, VALIDATION_ERRORS) else status_of(error).value


def headers_of(error: errors.BatchscribeError) -> dict[str, str]:
    if isinstance(error, errors.TooManyRequests):
        return {"Retry-After": str(error.retry_after_sec)}
    if isinstance(error, errors.AccessTokenInvalid):
        return {"WWW-Authenticate": "Bearer"}
    if status_of(error) is HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_SEC)}
    return {}


def add_refusals(app: FastAPI) -> None:
    """Register the handlers that turn every error of a route into a response."""
    app.add_exception_handler(errors.BatchscribeError, _answer_ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    for trouble in DATABASE_TROUBLE:
        app.add_exception_handler(trouble, _database)
    app.add_exception_handler(Exception, _answer_unexpected)


async def _answer_ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.BatchscribeError)  # noqa: S101 - for the type checker
    return answer_of(error)


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    """Answer an invalid parameter of the query or the path."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    return answer_of(describe_mistakes(error.errors(), from_part=1))  # part 0 is `query` or `path`


async def _http(request: Request, error: Exception) -> JSONResponse:
    """Answer an error of the router itself."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        sentence = f"{request.method} is not allowed on this path; the Allow header lists the methods that are."
        refusal: errors.RequestRefused = errors.MethodNotAllowed(sentence)
    elif error.status_code == HTTPStatus.NOT_FOUND:
        refusal = errors.RouteNotFound("There is no such path; /openapi.json lists all paths.")
    else:
        refusal = errors.RequestRefused(str(error.detail))
    answer = answer_of(refusal)
    answer.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = _methods(request) or answer.headers.get("Allow", "")
    return answer


def _methods(request: Request) -> str:
    """List all methods of the path. The router itself names only those of the first route that matches."""
    path = request.url.path.removeprefix(request.scope["root_path"])
    for template, operations in request.app.openapi()["paths"].items():
        written = re.escape(template.removeprefix("/v2"))
        if re.fullmatch("(/v2)?" + re.sub(r"\\{\w+\\}", "[^/]+", written), path):
            return ", ".join(sorted(method.upper() for method in operations))
    return ""


async def _answer_unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """Answer an unexpected error, which `Front` logs."""
    return answer_of(errors.InternalError("Internal error; the server's log has the details."))


async def _database(_request: Request, error: Exception) -> JSONResponse:
    log.error("database.trouble", error=cause_of(error))
    return answer_of(errors.DatabaseUnavailable("The database does not answer; try again in a moment."))
