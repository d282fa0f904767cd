"""Validation of the URIs, sources and destinations in a job."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from batchscribe.wire.base import NOT_AVAILABLE, Text, refusal
from batchscribe.wire.choices import Place
from batchscribe.wire.uris import canonical, scheme_of

PLACES = {"s3": Place.S3, "file": Place.FILE, "https": Place.HTTPS}
SCHEMES_TO_COME = ("gs", "gcs", "az", "azure", "abfs", "abfss")
PLACES_TO_COME = ("GCS", "AZURE")


def place_of(uri: str) -> Place:
    """Return the place of a URI that `validate_uri` has accepted."""
    return PLACES[scheme_of(uri)]


def validate_uri(uri: str) -> str:
    """Return the URI in canonical form. Messages name only its scheme, because the rest may hold a signature."""
    scheme = scheme_of(uri)
    if not scheme:
        raise refusal("A URI must start with s3://, https:// or file://.")
    if scheme in SCHEMES_TO_COME:
        raise refusal(f"{scheme}:// is not supported yet; use s3://, https:// or file://.", kind=NOT_AVAILABLE)
    if scheme not in PLACES:
        raise refusal(f"{scheme[:20]}:// is not supported; use s3://, https:// or file://.")
    spelled = canonical(uri)
    if spelled == "s3://" or spelled.startswith("s3:///"):
        raise refusal("The bucket is missing; write s3://bucket/key.")
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
    name = value.upper() if isinstance(value, str) else value
    if name in PLACES_TO_COME:
        raise refusal(f"{name} is not supported yet; use S3, HTTPS or FILE.", kind=NOT_AVAILABLE)
    return name


def _validate_optional_uri(uri: str) -> str:
    return validate_uri(uri) if uri else ""


#: For the OpenAPI document; `validate_uri` checks more.
PATTERN = "^(s3|https|file)://.+"

Uri = Annotated[Text, AfterValidator(validate_uri), Field(json_schema_extra={"pattern": PATTERN})]
#: Empty means absent.
OptionalUri = Annotated[
    Text, AfterValidator(_validate_optional_uri), Field(json_schema_extra={"pattern": f"^$|{PATTERN}"})
]
NamedPlace = Annotated[Place, BeforeValidator(_normalize_place)]
