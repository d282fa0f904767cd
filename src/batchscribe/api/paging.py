"""Page tokens: opaque to clients, the id of the last item in truth, so that what comes in between moves no page."""

from __future__ import annotations

import base64
import binascii
import json

from batchscribe.errors import InvalidRequest
from batchscribe.wire.untrusted import read_json

FIELD = "next_page_token"


def token_after(**last: str) -> str:
    """`token_after(job_id="job_1")`: the page behind that job."""
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode().rstrip("=")


def last_of(token: str, name: str) -> str:
    """The id that a token was made of. Raises `InvalidRequest`."""
    try:
        content = read_json(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        raise bad_token() from None
    last = content.get(name) if isinstance(content, dict) else None
    if not isinstance(last, str):
        raise bad_token()
    return last


def bad_token() -> InvalidRequest:
    sentence = f"{FIELD} is not a token of this list; take it from the page before, or leave it out."
    return InvalidRequest(sentence, field=FIELD)
