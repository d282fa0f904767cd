"""Credentials that come with a job. They are never echoed, and `repr` never shows them."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from batchscribe.wire.model import Text, WireModel, refusal


def _empty_is_absent(value: Any) -> Any:
    return value or None


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise refusal("A control character is not allowed here; a line's end is often copied with a key.")
    return text


def _one_line_secret(secret: SecretStr) -> SecretStr:
    _one_line(secret.get_secret_value())
    return secret


Secret = Annotated[SecretStr, Field(min_length=1), AfterValidator(_one_line_secret)]
Line = Annotated[Text, AfterValidator(_one_line)]


class AwsKeys(WireModel):
    """Keys for S3; the token belongs to temporary ones."""

    access_key_id: Secret
    secret_access_key: Secret
    session_token: Annotated[Secret | None, BeforeValidator(_empty_is_absent)] = None
    region: Annotated[Line | None, BeforeValidator(_empty_is_absent)] = None


class Auth(WireModel):
    aws: AwsKeys | None = None
