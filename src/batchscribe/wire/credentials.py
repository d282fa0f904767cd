"""Credentials that come with a job. They are never echoed, and `repr` never shows them."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator

from batchscribe.wire.model import Text, WireModel, refusal
from batchscribe.wire.refusals import refused


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


class Side(WireModel):
    """The input or the output of a job."""

    auth: Auth | None = None


class CredentialsRequest(WireModel):
    """The body of PUT credentials: what is left out stays as it is."""

    input: Side | None = None
    output: Side | None = None

    @model_validator(mode="after")
    def _brings_some(self) -> Self:
        if not any(side and side.auth and side.auth.aws for side in (self.input, self.output)):
            raise refusal("Credentials are required: input.auth.aws, output.auth.aws or both.", field="input.auth.aws")
        return self


def parse_credentials(data: object) -> CredentialsRequest:
    """Raises `InvalidRequest` with all mistakes; it never shows the input."""
    try:
        return CredentialsRequest.model_validate(data)
    except ValidationError as error:
        raise refused(error) from None  # the cause holds the input
