"""Authentication: a token signed with an API key's secret, or the secret itself (contract 2)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from batchscribe.api.cross_site import check_origin
from batchscribe.api.service import Service
from batchscribe.database.api_key_rows import ApiKey, find_live_key, key_of_secret
from batchscribe.errors import AccessTokenInvalid, SecretKeyChanged
from batchscribe.wire.untrusted import read_json

if TYPE_CHECKING:  # imported for the first token
    import jwt

LEEWAY_SEC = 60  # contract 2
MAX_LIFETIME_SEC = 30 * 24 * 3600  # contract 2
EVERYBODY = "default"  #: the tenant of all requests if authentication is off
UNKNOWN = "The API key is unknown or revoked, or the secret or signature does not belong to it."
UNREADABLE = (
    "The server cannot read this API key, because it now uses another secret key. Ask the operator for a new API key."
)
MALFORMED = "The token is malformed."
log = structlog.get_logger()


def tenant_of(request: Request, service: Service) -> str:
    """Authenticate a request and count it. Raises `AccessTokenInvalid`, `CrossSiteRequest`, `TooManyRequests`."""
    tenant = _tenant(request, service)
    service.rate_limit.check(tenant)
    return tenant


def _tenant(request: Request, service: Service) -> str:
    if service.settings.auth == "off":
        check_origin(request.method, request.headers, is_page=False)
        return EVERYBODY
    credential = _credential(request)
    return _of_token(credential, service) if _is_token(credential) else find_key_of(credential, service).tenant


def _credential(request: Request) -> str:
    plain = request.headers.get("x-api-key", "").strip()
    scheme, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    if plain:
        return plain
    raise AccessTokenInvalid("Send the header `Authorization: Bearer` with a token or an API secret, or `x-api-key`.")


def _is_token(credential: str) -> bool:
    """Return whether the credential has three parts and starts with a JSON header. Otherwise it is a secret."""
    return credential.count(".") == 2 and isinstance(_part(credential, 0), dict)


def _part(token: str, position: int) -> Any:
    """Decode one of the two JSON parts; None if it is invalid (see `read_json`)."""
    part = token.split(".")[position]
    try:
        return read_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None


def find_key_of(secret: str, service: Service) -> ApiKey:
    """Return the live key that a secret belongs to. Raises `AccessTokenInvalid`."""
    found = _key(key_of_secret(secret) or "", service)
    if not hmac.compare_digest(secret.encode(errors="replace"), found.secret.encode()):
        raise AccessTokenInvalid(UNKNOWN)
    return found


def _of_token(token: str, service: Service) -> str:
    import jwt

    claimed = _part(token, 1)
    if not isinstance(claimed, dict):
        raise AccessTokenInvalid(MALFORMED)
    issuer = claimed.get("iss")
    found = _key(issuer if isinstance(issuer, str) else "", service)
    try:
        claims = jwt.decode(
            token,
            found.secret,
            algorithms=["HS256"],
            leeway=LEEWAY_SEC,
            options={"require": ["iss", "iat", "exp"], "verify_aud": False, "verify_sub": False},
        )
    except jwt.InvalidTokenError as error:
        raise AccessTokenInvalid(_explain(error)) from None
    _check_lifetime(claims)
    return found.tenant


def _check_lifetime(claims: dict[str, Any]) -> None:
    if int(claims["exp"]) - int(claims["iat"]) > MAX_LIFETIME_SEC:
        raise AccessTokenInvalid("The token is valid for more than 30 days; sign one with an earlier exp.")


def _explain(error: jwt.InvalidTokenError) -> str:
    import jwt

    match error:
        case jwt.ExpiredSignatureError():
            return "The token has expired; sign a new one."
        case jwt.ImmatureSignatureError():
            return "The token's iat or nbf is in the future; check the clock."
        case jwt.MissingRequiredClaimError():
            return f"The token has no {error.claim}; iss, iat and exp are required."
        case jwt.InvalidAlgorithmError():
            return "The token must be signed with HS256."
        case jwt.InvalidSignatureError():
            return UNKNOWN
    return MALFORMED


def _key(name: str, service: Service) -> ApiKey:
    """Find a live key by its name, which is not secret. Raises `AccessTokenInvalid`."""
    try:
        with service.records.transaction() as connection:
            found = find_live_key(connection, service.records.keyring, name)
    except SecretKeyChanged as error:  # waiting does not help the client, and the server works for others
        log.warning("api_key.unreadable", api_key=name, sealed_with=error.key_id, see="batchscribe doctor")
        raise AccessTokenInvalid(UNREADABLE) from None
    if found is None:
        raise AccessTokenInvalid(UNKNOWN)
    return found


#: Only for the OpenAPI document; `_credential` reads the headers.
_DOCUMENTED = (
    HTTPBearer(
        auto_error=False,
        description="A JWT signed with an API secret (HS256, iss: the API key), or the secret itself.",
    ),
    APIKeyHeader(name="x-api-key", auto_error=False, description="The API secret."),
)
SECURITY = [Depends(scheme) for scheme in _DOCUMENTED]


def _asking_tenant(request: Request) -> str:
    service: Service = request.app.state.service
    request.state.tenant = tenant_of(request, service)  # also for the log line of `Front`
    return str(request.state.tenant)


#: The authenticated tenant. Authentication precedes all other checks.
Tenant = Annotated[str, Depends(_asking_tenant)]


async def _tenant_in_turn(request: Request, tenant: Tenant) -> AsyncIterator[str]:
    service: Service = request.app.state.service
    async with service.turns.turn(tenant):
        yield tenant


#: The same, for a route that needs only a thread: the route runs when it is the tenant's turn.
TenantInTurn = Annotated[str, Depends(_tenant_in_turn, scope="function")]


def empty_is_absent(value: Any) -> Any:
    """Return None for an empty value: a form sends `?state=` if nothing was chosen."""
    return None if value == "" else value
