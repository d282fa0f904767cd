"""Credentials that come with a job. They are never echoed, and `repr` never shows them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr

from batchscribe.wire.model import Text, WireModel

Secret = Annotated[SecretStr, Field(min_length=1)]


def _empty_is_absent(value: Any) -> Any:
    return value or None


class AwsKeys(WireModel):
    """Keys for S3; the token belongs to temporary ones."""

    access_key_id: Secret
    secret_access_key: Secret
    session_token: Annotated[Secret | None, BeforeValidator(_empty_is_absent)] = None
    region: Annotated[Text | None, BeforeValidator(_empty_is_absent)] = None


class Auth(WireModel):
    aws: AwsKeys | None = None
