"""Storage credentials in requests. They are never echoed, and `repr` never shows them."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator

from batchscribe.errors import InvalidRequest
from batchscribe.wire.base import JsonObject, Text, WireModel, refusal
from batchscribe.wire.choices import Place
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


class GcpKeys(WireModel):
    """Google Cloud credentials: the fields of a service account's key file, or an access token."""

    #: The rest of a key file.
    ignored_fields: ClassVar[frozenset[str]] = frozenset(
        [
            "auth_provider_x509_cert_url",
            "auth_uri",
            "client_id",
            "client_x509_cert_url",
            "project_id",
            "token_uri",
            "type",
            "universe_domain",
        ]
    )

    client_email: Annotated[Line | None, BeforeValidator(_empty_is_absent)] = None
    private_key: Annotated[SecretStr | None, BeforeValidator(_empty_is_absent)] = None  #: PEM, of several lines
    private_key_id: Annotated[Line | None, BeforeValidator(_empty_is_absent)] = None
    access_token: Annotated[Secret | None, BeforeValidator(_empty_is_absent)] = None  #: OAuth 2.0

    @model_validator(mode="after")
    def _require_key(self) -> Self:
        if self.access_token is None and (self.client_email is None or self.private_key is None):
            raise refusal("Send client_email and private_key of a service account's key file, or an access_token.")
        return self


ACCOUNT_NAME = re.compile("[a-z0-9]{3,24}")  #: of Azure; it becomes a part of the host name


def _account_name(name: str) -> str:
    if not ACCOUNT_NAME.fullmatch(name):
        raise refusal("The name of a storage account has 3 to 24 lower-case letters and digits.")
    return name


class AzureKeys(WireModel):
    """Azure Blob Storage credentials: the account, and one of its keys or tokens."""

    account_name: Annotated[
        str, AfterValidator(_account_name), Field(json_schema_extra={"pattern": f"^{ACCOUNT_NAME.pattern}$"})
    ]
    account_key: Annotated[Secret | None, BeforeValidator(_empty_is_absent)] = None
    sas_token: Annotated[Secret | None, BeforeValidator(_empty_is_absent)] = None  #: with or without the leading "?"
    access_token: Annotated[Secret | None, BeforeValidator(_empty_is_absent)] = None  #: OAuth 2.0, of Entra ID

    @model_validator(mode="after")
    def _require_one_key(self) -> Self:
        if sum(key is not None for key in (self.account_key, self.sas_token, self.access_token)) > 1:
            raise refusal("Send only one of account_key, sas_token and access_token.")
        return self


#: The field of `Auth` for each cloud. Other places need no credentials and accept any: clients of the original always
#: send `aws`.
AUTH_OF = {Place.S3: "aws", Place.GCS: "gcp", Place.AZURE: "azure"}


class Auth(WireModel):
    """The credentials of one side of a job, in the field of its cloud."""

    aws: AwsKeys | None = None
    gcp: GcpKeys | None = None
    azure: AzureKeys | None = None

    def find_foreign(self, place: Place) -> str | None:
        """Return the field with credentials of another cloud than `place`, if there is one."""
        wanted = AUTH_OF.get(place)
        return next((name for name in self.model_fields_set if wanted is not None and name != wanted), None)

    def check_place(self, place: Place) -> None:
        """Raise if there are credentials of another cloud than `place`."""
        if foreign := self.find_foreign(place):
            raise refusal(f"{place} takes credentials in auth.{AUTH_OF[place]}.", field=f"auth.{foreign}")


def reveal(keys: WireModel) -> JsonObject:
    """Return the fields that are set, including the secrets."""
    fields = {name: getattr(keys, name) for name in type(keys).model_fields}
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in fields.items()
        if value is not None
    }


class Side(WireModel):
    """The input or the output of a job."""

    auth: Auth | None = None


class CredentialsRequest(WireModel):
    """The body of PUT credentials; an omitted side keeps its credentials."""

    input: Side | None = None
    output: Side | None = None

    @model_validator(mode="after")
    def _require_credentials(self) -> Self:
        named = [side.auth.model_dump(exclude_none=True) for side in (self.input, self.output) if side and side.auth]
        if not any(named):
            raise refusal(
                "Credentials are required: input.auth or output.auth, with aws, gcp or azure.", field="input.auth.aws"
            )
        return self


def parse_credentials(data: object) -> CredentialsRequest:
    """Validate the body. Raises `InvalidRequest` with all mistakes, without the input."""
    try:
        return CredentialsRequest.model_validate(data)
    except ValidationError as error:
        raise invalid_request(error) from None  # the cause contains the input


def check_clouds(request: CredentialsRequest, *, source: Place, destination: Place) -> None:
    """Raise `InvalidRequest` if there are credentials of another cloud than that of a side of the job."""
    for name, side, place in (("input", request.input, source), ("output", request.output, destination)):
        foreign = side.auth.find_foreign(place) if side and side.auth else None
        if foreign:
            field = f"{name}.auth.{foreign}"
            raise InvalidRequest(f"{field}: {place} takes credentials in {name}.auth.{AUTH_OF[place]}.", field=field)
