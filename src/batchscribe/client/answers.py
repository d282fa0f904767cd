"""What a server answered: its JSON object, or the error it told."""

from __future__ import annotations

from typing import Any

import httpx2

from batchscribe.errors import ServerError, ServerRefused
from batchscribe.wire.model import JsonObject


def object_of(response: httpx2.Response, server: str) -> JsonObject:
    """Raises `ServerRefused` for an answer that tells an error, `ServerError` for one that is no JSON object."""
    check(response, server)
    body = _json(response)
    if not isinstance(body, dict):
        raise ServerError(f"{server} answered something other than a JSON object; is it a batchscribe server?")
    return body


def check(response: httpx2.Response, server: str) -> None:
    """Raises `ServerRefused`, or `ServerError` for a redirect: a key is not carried on to another place."""
    if response.has_redirect_location:
        raise ServerError(f"{server} answered with a redirect; give the address that it redirects to.")
    if not response.is_success:
        raise _refusal(response, server)


def items_of(page: JsonObject, name: str, server: str) -> list[JsonObject]:
    """The objects of a page. Raises `ServerError`."""
    items = page.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ServerError(f"{server} answered without a list of {name}; is it a batchscribe server?")
    return items


def _refusal(response: httpx2.Response, server: str) -> ServerRefused:
    body = _json(response)
    told = body if isinstance(body, dict) else {}
    reason = told.get("reason")
    return ServerRefused(
        _sentence(told) or f"{server} answered with the HTTP status {response.status_code}.",
        status=response.status_code,
        reason=reason if isinstance(reason, str) else "",
        body=response.text if body is None else body,
    )


def _sentence(told: JsonObject) -> str:
    """The server's message, and what it says about single fields unless the message has it."""
    message = told.get("message")
    said = message if isinstance(message, str) else ""
    errors = told.get("errors")
    for error in errors if isinstance(errors, list) else []:
        more = _of_field(error)
        if more and more not in said:
            said = f"{said.rstrip('.')}. {more}" if said else more
    return said


def _of_field(error: Any) -> str:
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return ""
    field, message = error.get("field"), error["message"]
    return f"{field}: {message}" if field and str(field) not in message else message


def _json(response: httpx2.Response) -> Any:
    """None for what is not JSON."""
    try:
        return response.json()
    except ValueError:  # covers bytes that are not UTF-8 too
        return None
