"""Who is signed in: the session cookie, and the dependencies with which a route asks for the visitor."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from batchscribe.api.auth import EVERYBODY
from batchscribe.api.service import Service
from batchscribe.database.session_rows import create_session, end_session, find_session
from batchscribe.errors import AccessTokenInvalid

COOKIE = "batchscribe_session"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who uses the pages. With authentication off, `api_key` is None and the session has no end."""

    tenant: str
    api_key: str | None = None
    expires_at: float | None = None


def find_visitor(request: Request, service: Service) -> Visitor | None:
    """Return the visitor; None without a live session. Reads the database."""
    if service.settings.auth == "off":
        return Visitor(EVERYBODY)
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with service.records.transaction() as connection:
        found = find_session(connection, token)
    return None if found is None else Visitor(found.tenant, found.api_key, found.expires_at)


def _visitor(request: Request) -> Visitor:
    service: Service = request.app.state.service
    visitor = find_visitor(request, service)
    if visitor is None:
        raise AccessTokenInvalid("Your session has ended; sign in again.")
    request.state.tenant = visitor.tenant  # also for the log line of `Front`
    request.state.visitor = visitor  # also for the templates
    service.rate_limit.check(visitor.tenant)
    return visitor


#: The visitor, who is signed in.
CurrentVisitor = Annotated[Visitor, Depends(_visitor)]


def tenant_of_visitor(visitor: CurrentVisitor) -> str:
    """Return the tenant, for a route that needs nothing else of the visitor."""
    return visitor.tenant


async def _visitor_in_turn(request: Request, visitor: CurrentVisitor) -> AsyncIterator[Visitor]:
    service: Service = request.app.state.service
    async with service.turns.turn(visitor.tenant):
        yield visitor


#: The same, for a route that needs only a thread: the route runs when it is the tenant's turn.
VisitorInTurn = Annotated[Visitor, Depends(_visitor_in_turn, scope="function")]


def sign_in(request: Request, answer: Response, service: Service, api_key: str) -> None:
    """Create a session for a key and put its token into the cookie of the answer."""
    with service.records.transaction() as connection:
        token = create_session(connection, api_key, life_sec=service.settings.session_sec)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=math.ceil(service.settings.session_sec),
        path=_cookie_path(request),
        secure=came_by_https(request),
        httponly=True,
        samesite="lax",
    )


def sign_out(request: Request, answer: Response, service: Service) -> None:
    if token := request.cookies.get(COOKIE):
        with service.records.transaction() as connection:
            end_session(connection, token)
    answer.delete_cookie(COOKIE, path=_cookie_path(request), httponly=True, samesite="lax")


def came_by_https(request: Request) -> bool:
    """Return whether the browser uses HTTPS.

    Any client may send the headers that say so. A wrong one only keeps this client's own cookie from being sent back.
    """
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    is_secure_page = request.headers.get("origin", "").startswith("https://")
    return request.url.scheme == "https" or forwarded == "https" or is_secure_page


def _cookie_path(request: Request) -> str:
    return str(request.scope.get("root_path")) or "/"
