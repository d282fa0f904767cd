"""Storage credentials in requests. They are never echoed, and `repr` never shows them."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator

from batchscribe.wire.base import Text, WireModel, refusal
from batchscribe.wire.mistakes import invalid_request


def _empty_is_absent(value: Any) -> Any:
    return value or None


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise refusal("Control characters are not allowed; a newline is often copied along with a key.")
    return text


def _one_line_secret(secret: SecretStr) -> SecretStr:
    _one_line(secret.get_secret_value())
    return secret


Secret = Annotated[SecretStr, Field(min_length=1), AfterValidator(_one_line_secret)]
Line = Annotated[Text, AfterValidator(_one_line)]


class AwsKeys(WireModel):
    """S3 credentials; temporary ones have a session token."""

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
    """The body of PUT credentials; an omitted side keeps its credentials."""

    input: Side | None = None
    output: Side | None = None

    @model_validator(mode="after")
    def _require_credentials(self) -> Self:
        if not any(side and side.auth and side.auth.aws for side in (self.input, self.output)):
            raise refusal("Credentials are required: input.auth.aws, output.auth.aws or both.", field="input.auth.aws")
        return self


def parse_credentials(data: object) -> CredentialsRequest:
    """Validate the body. Raises `InvalidRequest` with all mistakes, without the input."""
    try:
        return CredentialsRequest.model_validate(data)
    except ValidationError as error:
        raise invalid_request(error) from None  # the cause contains the input
