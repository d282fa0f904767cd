"""The body of a request: a JSON object of bounded size, and nothing else."""

from __future__ import annotations

from typing import Any

from starlette.requests import ClientDisconnect, Request

from batchscribe.errors import BodyTooLarge, ContentTypeNotAccepted, MalformedBody, RequestTooSlow
from batchscribe.wire import untrusted

NOT_AN_OBJECT = "Request Body should be a valid JSON object."  # contract 2
WHY = {
    untrusted.TOO_DEEP: f" Lists and objects are nested more than {untrusted.MAX_DEPTH} levels deep.",
    untrusted.HALF_A_PAIR: " A string in it has half of a surrogate pair.",
}


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
        raise RequestTooSlow(
            "The client disconnected before it had sent the whole body; send the request again."
        ) from None
    return bytes(content)


def _too_large(limit_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit_bytes} bytes; split the job.")


def parsed(content: bytes) -> dict[str, Any]:
    """Raises `MalformedBody`."""
    try:
        body = untrusted.read_json(content.decode("utf-8-sig"))
    except ValueError as error:
        why = WHY.get(str(error), "")
        raise MalformedBody(f"{NOT_AN_OBJECT}{why}") from None  # the cause may quote the body
    if not isinstance(body, dict):
        raise MalformedBody(NOT_AN_OBJECT)
    return body
