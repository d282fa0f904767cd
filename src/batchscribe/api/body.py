"""Request bodies, which are JSON objects of limited size, and page tokens, which encode the last item of a page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request

from batchscribe.errors import BodyTooLarge, ContentTypeNotAccepted, InvalidRequest, MalformedBody, RequestTooSlow
from batchscribe.wire import untrusted
from batchscribe.wire.untrusted import read_json

NOT_AN_OBJECT = "Request Body should be a valid JSON object."  # contract 2
WHY = {
    untrusted.TOO_DEEP: f" Lists and objects are nested more than {untrusted.MAX_DEPTH} levels deep.",
    untrusted.HALF_A_PAIR: " A string contains half of a surrogate pair.",
}
#: The maximum number of values is the maximum size divided by this; the shortest URI of a manifest has 12 bytes.
#: Parsing two million numbers takes seconds, a manifest of the same size a few milliseconds.
MIN_BYTES_PER_VALUE = 40


@dataclass(frozen=True, slots=True)
class Body:
    """A request body, and the size limit that it was read with."""

    content: bytes
    limit_bytes: int

    def parse(self) -> dict[str, Any]:
        """Parse the body. Call this in a thread, because it takes a while. Raises `BodyTooLarge`, `MalformedBody`."""
        if self._most_values() > self.limit_bytes // MIN_BYTES_PER_VALUE:
            raise BodyTooLarge(
                f"The body has more than {self.limit_bytes // MIN_BYTES_PER_VALUE} values (commas and brackets in "
                "strings count too); split the job."
            )
        return parse_object(self.content)

    def _most_values(self) -> int:
        """Count the characters that start a value. In strings they do not, so this is an upper bound."""
        return sum(map(self.content.count, (b",", b"[", b"{")))


async def read_body(request: Request, limit_bytes: int, take: Callable[[int], None]) -> Body:
    """Read a body. `take` is called with the number of bytes of each part, and may raise an error to refuse them.

    Raises `ContentTypeNotAccepted`, `BodyTooLarge`, `RequestTooSlow`, and what `take` raises.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ContentTypeNotAccepted("Unsupported Content Type: send Content-Type: application/json.")
    return Body(await read_content(request, limit_bytes, take), limit_bytes)


async def read_optional_body(request: Request, limit_bytes: int, take: Callable[[int], None]) -> Body:
    """Read a body that may be missing, which is the same as `{}`. Raises as `read_body` does."""
    if "content-type" in request.headers:
        body = await read_body(request, limit_bytes, take)
        return body if body.content else Body(b"{}", limit_bytes)
    if await read_content(request, limit_bytes, take):
        raise ContentTypeNotAccepted("Unsupported Content Type: send Content-Type: application/json.")
    return Body(b"{}", limit_bytes)


async def read_content(request: Request, limit_bytes: int, take: Callable[[int], None]) -> bytes:
    """Like `read_body`, for any content type."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    content = bytearray()
    try:
        async for part in request.stream():
            take(len(part))
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


def parse_object(content: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises `MalformedBody`."""
    try:
        body = untrusted.read_json(content.decode("utf-8-sig"))
    except ValueError as error:
        why = WHY.get(str(error), "")
        raise MalformedBody(f"{NOT_AN_OBJECT}{why}") from None  # the cause may quote the body
    if not isinstance(body, dict):
        raise MalformedBody(NOT_AN_OBJECT)
    return body


FIELD = "next_page_token"


def token_after(**last: str) -> str:
    """Return the token of the page after an item: `token_after(job_id="job_1")`."""
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode().rstrip("=")


def last_of(token: str, name: str) -> str:
    """Return the id in a token. Raises `InvalidRequest`."""
    last = find_in_token(token, name)
    if last is None:
        raise bad_token()
    return last


def find_in_token(token: str, name: str) -> str | None:
    """Return a text in a token; None if it has none of this name. Raises `InvalidRequest`."""
    try:
        content = read_json(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        raise bad_token() from None
    found = content.get(name) if isinstance(content, dict) else None
    return found if isinstance(found, str) else None


def bad_token() -> InvalidRequest:
    sentence = f"{FIELD} is not a token of this list; copy it from the previous page, or omit it."
    return InvalidRequest(sentence, field=FIELD)
