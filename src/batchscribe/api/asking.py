"""What routes are told about who asks, and how they read what a client left empty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from batchscribe.api.auth import tenant_of
from batchscribe.api.service import Service

#: Only for the OpenAPI document; `auth` reads the headers itself.
_DOCUMENTED = (
    HTTPBearer(
        auto_error=False, description="A JWT signed with an API secret (HS256, iss: the API key), or the secret."
    ),
    APIKeyHeader(name="x-api-key", auto_error=False, description="The API secret."),
)
SECURITY = [Depends(scheme) for scheme in _DOCUMENTED]


def _asking_tenant(request: Request) -> str:
    service: Service = request.app.state.service
    request.state.tenant = tenant_of(request, service)  # for the front door's log line, too
    return str(request.state.tenant)


#: Whoever asks, before anything else is looked at.
Tenant = Annotated[str, Depends(_asking_tenant)]


async def _tenant_in_turn(request: Request, tenant: Tenant) -> AsyncIterator[str]:
    service: Service = request.app.state.service
    async with service.turns.turn(tenant):
        yield tenant


#: The same, for a route that needs a thread and nothing else: it gets one when it is the tenant's turn.
TenantInTurn = Annotated[str, Depends(_tenant_in_turn, scope="function")]


def empty_is_absent(value: Any) -> Any:
    """`?state=` is what a form sends when nothing was chosen."""
    return None if value == "" else value
