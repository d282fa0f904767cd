"""Validation of the URIs, sources and destinations in a job."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from batchscribe.wire.base import Text, refusal
from batchscribe.wire.choices import CLOUDS, PLACE_OF_SCHEME, Place
from batchscribe.wire.uris import canonical, scheme_of

#: Spellings of other tools, and what to write instead.
OTHER_SPELLINGS = {
    "gcs": "gs://bucket/key",
    **dict.fromkeys(
        ("azure", "abfs", "abfss", "wasb", "wasbs"), "az://container/key, with the account in auth.azure.account_name"
    ),
    "s3a": "s3://bucket/key",
    "s3n": "s3://bucket/key",
}
_SUPPORTED = " or ".join(
    [", ".join(f"{scheme}://" for scheme in [*PLACE_OF_SCHEME][:-1]), f"{[*PLACE_OF_SCHEME][-1]}://"]
)


def place_of(uri: str) -> Place:
    """Return the place of a URI that `validate_uri` has accepted."""
    return PLACE_OF_SCHEME[scheme_of(uri)]


def is_in_cloud(uri: str) -> bool:
    """Return whether a URI that `validate_uri` has accepted names a bucket."""
    return place_of(uri) in CLOUDS


def validate_uri(uri: str) -> str:
    """Return the URI in canonical form. Messages name only its scheme, because the rest may hold a signature."""
    scheme = scheme_of(uri)
    if not scheme:
        raise refusal(f"A URI must start with {_SUPPORTED}.")
    if scheme in OTHER_SPELLINGS:
        raise refusal(f"{scheme}:// is not supported; write {OTHER_SPELLINGS[scheme]}.")
    if scheme not in PLACE_OF_SCHEME:
        raise refusal(f"{scheme[:20]}:// is not supported; use {_SUPPORTED}.")
    spelled = canonical(uri)
    if is_in_cloud(spelled) and not spelled.partition("://")[2].partition("/")[0]:
        raise refusal(f"The bucket is missing; write {scheme}://bucket/key.")
    if scheme == "https" and not _is_web_url(spelled):
        raise refusal("The https:// URI has no valid host or port; write https://example.org/path.")
    if scheme == "file" and not spelled.startswith("file:///"):
        raise refusal("A file:// URI must have no host and an absolute path; write file:///path.")
    return spelled


def _is_web_url(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # unbalanced brackets or an invalid port
        return False


def _normalize_place(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _validate_optional_uri(uri: str) -> str:
    return validate_uri(uri) if uri else ""


#: For the OpenAPI document; `validate_uri` checks more.
PATTERN = f"^({'|'.join(PLACE_OF_SCHEME)})://.+"

Uri = Annotated[Text, AfterValidator(validate_uri), Field(json_schema_extra={"pattern": PATTERN})]
#: Empty means absent.
OptionalUri = Annotated[
    Text, AfterValidator(_validate_optional_uri), Field(json_schema_extra={"pattern": f"^$|{PATTERN}"})
]
NamedPlace = Annotated[Place, BeforeValidator(_normalize_place)]
