"""A token that the contract tests cannot sign with a library: one with an infinite number."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
from starlette.requests import Request

from batchscribe.api.auth import tenant_of
from batchscribe.api.service import Service
from batchscribe.database.api_key_rows import create_key
from batchscribe.errors import AccessTokenInvalid
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_an_infinite_claim_is_a_malformed_token_not_an_internal_error(tmp_path: Path, claim: str) -> None:
    settings = load_settings(data_dir=tmp_path)
    records = open_records(settings)
    with records.transaction() as connection:
        key = create_key(connection, records.keyring, "acme")
    claims = {"iss": key.api_key, "iat": 1, "exp": 2**31, claim: float("inf")}
    token = jwt.encode(claims, key.secret, algorithm="HS256")
    request = Request({"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]})
    with pytest.raises(AccessTokenInvalid):
        tenant_of(request, Service.of(records, settings))
    records.database.dispose()
