"""Server responses: the JSON object, or the error that the server reports."""

from __future__ import annotations

from typing import Any

import httpx2

from batchscribe.client.attempts import Outcome
from batchscribe.errors import ServerError, ServerRefused, ServerUnreachable
from batchscribe.wire.base import JsonObject


def response_of(outcome: Outcome, server: str, *, timeout_sec: float) -> httpx2.Response:
    """Return the response, whatever its status. Raises `ServerUnreachable` or `ServerError` if there is none."""
    if isinstance(outcome, httpx2.Response):
        return outcome
    if isinstance(outcome, httpx2.DecodingError):
        raise ServerError(f"The answer from {server} cannot be decoded ({outcome}).") from outcome
    if isinstance(outcome, httpx2.TimeoutException):
        raise ServerUnreachable(f"{server} did not answer within {timeout_sec:g} s.") from outcome
    raise ServerUnreachable(
        f"{server} cannot be reached ({outcome}); check the address, and that `batchscribe serve` runs there."
    ) from outcome


def object_of(response: httpx2.Response, server: str) -> JsonObject:
    """Raises `ServerRefused` if the response is an error, `ServerError` if it is not a JSON object."""
    check(response, server)
    body = _json(response)
    if not isinstance(body, dict):
        raise ServerError(f"The answer from {server} is not a JSON object; is it a batchscribe server?")
    return body


def check(response: httpx2.Response, server: str) -> None:
    """Raise `ServerRefused` for an error, `ServerError` for a redirect: the key is never sent to another address."""
    if response.has_redirect_location:
        raise ServerError(f"{server} answered with a redirect; use the address that it redirects to.")
    if not response.is_success:
        raise _refusal(response, server)


def items_of(page: JsonObject, name: str, server: str) -> list[JsonObject]:
    """Return the objects of a page. Raises `ServerError`."""
    items = page.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ServerError(f"The answer from {server} has no list of {name}; is it a batchscribe server?")
    return items


def _refusal(response: httpx2.Response, server: str) -> ServerRefused:
    body = _json(response)
    report = body if isinstance(body, dict) else {}
    reason = report.get("reason")
    return ServerRefused(
        _message(report) or f"{server} answered with the HTTP status {response.status_code}.",
        status=response.status_code,
        reason=reason if isinstance(reason, str) else "",
        body=response.text if body is None else body,
    )


def _message(report: JsonObject) -> str:
    """Return the server's message, followed by the field errors that it does not contain."""
    message = report.get("message")
    text = message if isinstance(message, str) else ""
    errors = report.get("errors")
    for error in errors if isinstance(errors, list) else []:
        more = _field_message(error)
        if more and more not in text:
            text = f"{text.rstrip('.')}. {more}" if text else more
    return text


def _field_message(error: Any) -> str:
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return ""
    field, message = error.get("field"), error["message"]
    return f"{field}: {message}" if field and str(field) not in message else message


def _json(response: httpx2.Response) -> Any:
    """Return None if the body is not JSON."""
    try:
        return response.json()
    except ValueError:  # also raised for invalid UTF-8
        return None
