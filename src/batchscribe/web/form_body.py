"""The body of a form. It is small, so it is read whole, up to a limit."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from batchscribe.errors import BodyTooLarge, ContentTypeNotAccepted, MalformedBody, RequestTooSlow
from batchscribe.wire.untrusted import is_text

FORM_TYPE = "application/x-www-form-urlencoded"
MOST_BYTES_OF_FORM = 64 * 2**10
MOST_FIELDS = 100


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields. Of a repeated one, the last counts.

    Raises `ContentTypeNotAccepted`, `BodyTooLarge`, `MalformedBody`, `RequestTooSlow`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise ContentTypeNotAccepted(f"Send the form as {FORM_TYPE}.")
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > MOST_BYTES_OF_FORM:
                raise BodyTooLarge(f"The form has more than {MOST_BYTES_OF_FORM} bytes; shorten its values.")
    except ClientDisconnect:
        raise RequestTooSlow("The client disconnected before it had sent the whole form; send it again.") from None
    return _parse(bytes(content))


def _parse(content: bytes) -> dict[str, str]:
    try:
        fields = parse_qsl(content.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise MalformedBody("The body is not a valid form; send the form again.") from None
    if not all(is_text(text) and "\0" not in text for field in fields for text in field):
        raise MalformedBody("The form contains text that cannot be stored; correct it.")
    return dict(fields)
