"""The form for storage credentials, if the reader shows an ended job whose own credentials were deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from batchscribe.errors import CredentialsNeeded, InvalidRequest
from batchscribe.jobs.model import Job
from batchscribe.outbound.policy import Policy
from batchscribe.settings import Settings
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, SIDES
from batchscribe.storage.access import Credentials
from batchscribe.storage.schemes import read_credentials
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import Place
from batchscribe.wire.credentials import AUTH_OF, check_clouds, parse_credentials
from batchscribe.wire.locations import place_of
from batchscribe.wire.uris import without_query


@dataclass(frozen=True, slots=True)
class AccessField:
    """A field of the form, as `wire/credentials` names it."""

    name: str
    label: str
    is_secret: bool = True
    is_required: bool = False


FIELDS: Mapping[Place, tuple[AccessField, ...]] = {
    Place.S3: (
        AccessField("access_key_id", "Access key ID", is_secret=False, is_required=True),
        AccessField("secret_access_key", "Secret access key", is_required=True),
        AccessField("session_token", "Session token, for temporary credentials"),
        AccessField("region", "Region, if it is not detected automatically", is_secret=False),
    ),
    Place.GCS: (
        AccessField("access_token", "Access token"),
        AccessField("client_email", "or client_email of a service account's key file", is_secret=False),
        AccessField("private_key", "and its private_key"),
    ),
    Place.AZURE: (
        AccessField("account_name", "Storage account", is_secret=False, is_required=True),
        AccessField("sas_token", "SAS token"),
        AccessField("account_key", "or account key"),
        AccessField("access_token", "or access token of Entra ID"),
    ),
}
URL_FIELD = AccessField("url", "Complete signed URL of the recording", is_required=True)


def fields_for(error: CredentialsNeeded) -> list[JsonObject]:
    """Return the fields that the page asks for, with their names in the form."""
    place = place_of(error.uri)
    if place not in FIELDS:
        return [_field(URL_FIELD, URL_FIELD.name)]
    return [_field(each, f"{error.side}.{AUTH_OF[place]}.{each.name}") for each in FIELDS[place]]


def _field(field: AccessField, name: str) -> JsonObject:
    return {"name": name, "label": field.label, "secret": field.is_secret, "required": field.is_required}


def read_access(form: Mapping[str, str], job: Job) -> dict[str, Credentials]:
    """Return the credentials in a form by side.

    Raises `InvalidRequest`.
    """
    body: JsonObject = {side: {"auth": auth} for side in SIDES if (auth := _auth(form, side))}
    if not body:
        return {}
    places = {INPUT: Place(job.input["source"]), OUTPUT: job.output.destination}
    request = parse_credentials(body)
    check_clouds(request, source=places[INPUT], destination=places[OUTPUT])
    sides = {INPUT: request.input, OUTPUT: request.output}
    return {name: found for name, side in sides.items() if side and (found := read_credentials(side.auth))}


def _auth(form: Mapping[str, str], side: str) -> JsonObject:
    """Return the fields of a side by their clouds. Empty ones are absent."""
    auth: dict[str, dict[str, str]] = {}
    for cloud in AUTH_OF.values():
        for name, value in _fields_below(form, f"{side}.{cloud}."):
            auth.setdefault(cloud, {})[name] = value
    return auth


def _fields_below(form: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in form.items():
        if name.startswith(prefix) and value.strip():
            yield name.removeprefix(prefix), value.strip().replace("\r\n", "\n")  # browsers send both for a new line


def read_signed_url(form: Mapping[str, str], input_uri: str, settings: Settings) -> dict[str, str]:
    """Return the signed URL of a recording by the URL on record. Raises `InvalidRequest`, `LocationNotAllowed`."""
    url = form.get("url", "").strip()
    if not url:
        return {}
    if without_query(url) != without_query(input_uri):
        raise InvalidRequest("url must be that of the recording, with a new signature in its query.", field="url")
    from batchscribe.storage.https.web_store import check_web_url  # with the HTTP client

    check_web_url(url, Policy.of_inputs(settings))
    return {input_uri: url}
