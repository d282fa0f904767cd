"""Signing in with the secret of an API key, and signing out."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.api.auth import find_key_of
from batchscribe.api.service import MovingWindow
from batchscribe.errors import AccessTokenInvalid, TooManyRequests
from batchscribe.web.forms import SignInForm
from batchscribe.web.sessions import find_visitor, sign_in, sign_out
from batchscribe.web.site import Site, go_to, root_of

PER_ADDRESS = "10/minute"  #: failed attempts of one client
IN_ALL = "200/minute"  #: failed attempts at one server process
RETRY_AFTER_SEC = 60
EVERYWHERE = "all"


class FailedAttempts:
    """Limits failed attempts to sign in. Thread-safe.

    A right secret is never refused: otherwise strangers, or colleagues behind the same address, could keep people out.
    A secret of 256 bits cannot be guessed.
    """

    @cached_property
    def _windows(self) -> tuple[MovingWindow, MovingWindow]:
        """The windows of one client, and of the server process."""
        return MovingWindow(PER_ADDRESS), MovingWindow(IN_ALL)

    def add(self, address: str) -> None:
        """Count an attempt from an address. Raises `TooManyRequests`."""
        of_address, of_all = self._windows
        if not (of_address.admit(client_of(address)) and of_all.admit(EVERYWHERE)):
            raise TooManyRequests(
                "Too many failed attempts to sign in; check the secret, and try again in a minute.",
                retry_after_sec=RETRY_AFTER_SEC,
            )


def client_of(address: str) -> str:
    """Return what an address counts for: with IPv6, its network /64, because a client has a whole one."""
    try:
        parsed = ip_address(address)
    except ValueError:  # of a proxy that forwards something else
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def signin_router(site: Site) -> APIRouter:
    router = APIRouter()
    failed = FailedAttempts()

    @router.get("/signin")
    def show_form(request: Request, next: str = "") -> Response:  # noqa: A002  # as in the URL
        if find_visitor(request, site.service) is not None:
            return go_to(request, "/")
        return site.page(request, "signin.html", next=next, mistake=None)

    @router.post("/signin")
    def sign_in_with_secret(request: Request, form: SignInForm) -> Response:
        address = request.client.host if request.client else ""
        try:
            key = find_key_of(form.get("secret", "").strip(), site.service)
        except AccessTokenInvalid as error:
            failed.add(address)
            status, next_path = HTTPStatus.UNAUTHORIZED, form.get("next", "")
            return site.page(request, "signin.html", status=status, next=next_path, mistake=error.message)
        answer = go_to(request, local_path(form.get("next", ""), root_of(request)))
        sign_in(request, answer, site.service, key.api_key)
        return answer

    @router.post("/signout")
    def sign_out_here(request: Request) -> Response:
        answer = go_to(request, "/signin")
        sign_out(request, answer, site.service)
        return answer

    return router


def local_path(path: str, root: str) -> str:
    """Return the path below the root path that a form should lead to; `/` if it is not a path of this server."""
    below = path.removeprefix(root)
    is_local = path.startswith(f"{root}/") and path.isprintable() and not below.startswith(("//", "/\\"))
    return below if is_local else "/"
