"""Submitted forms, of limited size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.datastructures import ImmutableMultiDict

from batchscribe.api.body import read_content
from batchscribe.api.service import Service
from batchscribe.errors import ContentTypeNotAccepted, MalformedBody
from batchscribe.web.sessions import CurrentVisitor

Form = ImmutableMultiDict[str, str]

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 500
SIGN_IN_BYTES = 4096  #: of a form without a session


def parse_form(content: bytes) -> Form:
    """Raises `MalformedBody`."""
    try:
        pairs = parse_qsl(content.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise MalformedBody("The form cannot be read; open the page again and send the form from there.") from None
    return ImmutableMultiDict((name, value.replace("\0", "")) for name, value in pairs)


def check_form_type(request: Request) -> None:
    """Raises `ContentTypeNotAccepted`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        raise ContentTypeNotAccepted(f"Unsupported Content Type: send Content-Type: {FORM_TYPE}.")


async def _form_of_visitor(request: Request, visitor: CurrentVisitor) -> AsyncIterator[Form]:
    service: Service = request.app.state.service
    check_form_type(request)
    with service.body_room.of(visitor.tenant) as take:
        yield parse_form(await read_content(request, service.settings.max_body_bytes, take))


async def _form_of_stranger(request: Request) -> Form:
    check_form_type(request)
    return parse_form(await read_content(request, SIGN_IN_BYTES, lambda _: None))


#: The form that a visitor sent, after the check of the session.
SubmittedForm = Annotated[Form, Depends(_form_of_visitor)]

#: A small form that needs no session.
SignInForm = Annotated[Form, Depends(_form_of_stranger)]
