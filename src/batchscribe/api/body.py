"""The body of a request: a JSON object of bounded size, and nothing else."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from batchscribe.errors import BodyTooLarge, ContentTypeNotAccepted, MalformedBody, RequestTooSlow

NOT_AN_OBJECT = "Request Body should be a valid JSON object."  # contract 2


async def read_json(request: Request, limit_bytes: int) -> dict[str, Any]:
    """Raises `ContentTypeNotAccepted`, `BodyTooLarge`, `RequestTooSlow`, `MalformedBody`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ContentTypeNotAccepted("Unsupported Content Type: send Content-Type: application/json.")
    return parsed(await _read(request, limit_bytes))


async def _read(request: Request, limit_bytes: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > limit_bytes:
                raise _too_large(limit_bytes)
    except ClientDisconnect:
        raise RequestTooSlow("The client went away before it had sent the whole body.") from None
    return bytes(content)


def _too_large(limit_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit_bytes} bytes; split the job.")


def parsed(content: bytes) -> dict[str, Any]:
    """Raises `MalformedBody`."""
    try:
        body = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise MalformedBody(NOT_AN_OBJECT) from None  # the cause may quote the body
    if not isinstance(body, dict):
        raise MalformedBody(NOT_AN_OBJECT)
    _check_unicode(body, content)
    return body


def _check_unicode(body: dict[str, Any], content: bytes) -> None:
    """Half a surrogate pair can be written in JSON, and then neither stored nor sent to anybody."""
    if b"\\u" not in content:
        return
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MalformedBody(f"{NOT_AN_OBJECT} A text in it has half of a surrogate pair.") from None


def _no_number(name: str) -> NoReturn:
    """`NaN` and `Infinity` are not JSON, though Python reads them."""
    raise ValueError(name)
