"""The page of the tenant's API keys."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.api_key_rows import ApiKey, create_key, list_keys_of, revoke_key_of
from batchscribe.errors import RouteNotFound
from batchscribe.web.sessions import Visitor, VisitorInTurn
from batchscribe.web.site import Site, go_to


def keys_router(site: Site) -> APIRouter:
    router = APIRouter()
    records = site.service.records

    def show(request: Request, visitor: Visitor, new: ApiKey | None = None) -> Response:
        with records.transaction() as connection:
            keys = list_keys_of(connection, visitor.tenant)
        live = [key for key in keys if key.revoked_at is None]
        revoked = [key for key in keys if key.revoked_at is not None]
        return site.page(request, "keys.html", live=live, revoked=revoked, new=new, own=visitor.api_key)

    @router.get("/keys")
    def show_keys(request: Request, visitor: VisitorInTurn) -> Response:
        _check_auth(visitor)
        return show(request, visitor)

    @router.post("/keys")
    def create(request: Request, visitor: VisitorInTurn) -> Response:
        """The answer is the page itself, because the secret is shown only once."""
        _check_auth(visitor)
        with records.transaction() as connection:
            new = create_key(connection, records.keyring, visitor.tenant)
        return show(request, visitor, new)

    @router.post("/keys/{key}/revoke")
    def revoke(request: Request, visitor: VisitorInTurn, key: str) -> Response:
        _check_auth(visitor)
        with records.transaction() as connection:
            revoke_key_of(connection, visitor.tenant, key)
        return go_to(request, "/signin" if key == visitor.api_key else "/keys")

    return router


def _check_auth(visitor: Visitor) -> None:
    """Raises `RouteNotFound`: with authentication off, keys have no effect."""
    if visitor.api_key is None:
        raise RouteNotFound("There are no keys, because this server runs with BATCHSCRIBE_AUTH=off.")
