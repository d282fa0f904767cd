"""URIs and places that a job may name."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from batchscribe.wire.choices import Place
from batchscribe.wire.model import NOT_AVAILABLE, Text, refusal
from batchscribe.wire.uris import canonical, scheme_of

PLACES = {"s3": Place.S3, "file": Place.FILE, "https": Place.HTTPS}
SCHEMES_TO_COME = ("gs", "gcs", "az", "azure", "abfs", "abfss")
PLACES_TO_COME = ("GCS", "AZURE")


def place_of(uri: str) -> Place:
    """The place of a URI that passed `checked_uri`."""
    return PLACES[scheme_of(uri)]


def checked_uri(uri: str) -> str:
    """The URI in its canonical spelling. Messages name its scheme alone: the rest may hold a signature."""
    scheme = scheme_of(uri)
    if not scheme:
        raise refusal("A URI starts with s3://, https:// or file://.")
    if scheme in SCHEMES_TO_COME:
        raise refusal(f"{scheme}:// is not served yet; use s3://, https:// or file://.", kind=NOT_AVAILABLE)
    if scheme not in PLACES:
        raise refusal(f"{scheme[:20]}:// is not served; use s3://, https:// or file://.")
    spelled = canonical(uri)
    if spelled == "s3://" or spelled.startswith("s3:///"):
        raise refusal("The bucket is missing; write s3://bucket/key.")
    if scheme == "https" and not _is_web_url(spelled):
        raise refusal("An https:// URI needs a host, and may have a port: https://example.org/path.")
    if scheme == "file" and not spelled.startswith("file:///"):
        raise refusal("A file URI has no host and an absolute path; write file:///path.")
    return spelled


def _is_web_url(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is none
        return False


def _known_place(value: Any) -> Any:
    name = value.upper() if isinstance(value, str) else value
    if name in PLACES_TO_COME:
        raise refusal(f"{name} is not served yet; use S3, HTTPS or FILE.", kind=NOT_AVAILABLE)
    return name


def _checked_if_given(uri: str) -> str:
    return checked_uri(uri) if uri else ""


#: For the OpenAPI document; `checked_uri` says more, and in sentences.
PATTERN = "^(s3|https|file)://.+"

Uri = Annotated[Text, AfterValidator(checked_uri), Field(json_schema_extra={"pattern": PATTERN})]
#: Empty means absent.
OptionalUri = Annotated[Text, AfterValidator(_checked_if_given), Field(json_schema_extra={"pattern": f"^$|{PATTERN}"})]
NamedPlace = Annotated[Place, BeforeValidator(_known_place)]
