"""The table of URI schemes, and what selects from it: stores, URI checks, credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from batchscribe.settings import Settings
from batchscribe.storage.access import Access, Credentials
from batchscribe.storage.azure.azure_scheme import AZURE
from batchscribe.storage.gcs.gcs_scheme import GCS
from batchscribe.storage.https.https_scheme import HTTPS
from batchscribe.storage.local.file_scheme import FILE
from batchscribe.storage.routed import RoutedStore, not_supported
from batchscribe.storage.s3.s3_scheme import S3
from batchscribe.storage.scheme import CredentialsForm, Scheme
from batchscribe.storage.store import Store
from batchscribe.wire.base import JsonObject
from batchscribe.wire.credentials import Auth, reveal
from batchscribe.wire.uris import scheme_of

SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in (S3, GCS, AZURE, FILE, HTTPS)}
FORMS: tuple[CredentialsForm, ...] = tuple(scheme.credentials for scheme in SCHEMES.values() if scheme.credentials)
KIND = "kind"  #: in sealed credentials; absent for S3, so that workers of older releases can read them
FIELD_WITHOUT_KIND = "aws"


def connect(access: Access) -> Store:
    """Return a store for all schemes without sending a request. Raises `InvalidSetting` for an unusable endpoint."""
    return RoutedStore({name: scheme.connect(access) for name, scheme in SCHEMES.items()})


def location_check(access: Access) -> Callable[[str], None]:
    """Return a function that checks a URI without a request to the storage. It raises `LocationNotAllowed`."""
    checks = {name: scheme.checker(access) for name, scheme in SCHEMES.items()}

    def check(uri: str) -> None:
        if (scheme := scheme_of(uri)) not in checks:
            raise not_supported(uri, SCHEMES)
        checks[scheme](uri)

    return check


def select_settings(settings: Settings) -> JsonObject:
    """Return the settings of storage that a local job stores.

    Those of S3 are always among them: the fingerprints of jobs of older releases contain them.
    """
    found = {name: getattr(settings, name) for scheme in SCHEMES.values() for name in scheme.settings}
    return {name: value for name, value in found.items() if value is not None or name in S3.settings}


def read_credentials(auth: Auth | None) -> Credentials | None:
    """Return the credentials in a request."""
    for form in FORMS:
        if auth is not None and (named := getattr(auth, form.field)) is not None:
            return form.kind(**reveal(named))
    return None


def read_environment(uri: str, environment: Mapping[str, str]) -> Credentials | None:
    """Return the credentials for a URI from environment variables. Raises `UsageError` for incomplete ones."""
    scheme = SCHEMES.get(scheme_of(uri))
    form = scheme and scheme.credentials
    return form.read_environment(environment) if form else None


def is_for_another_cloud(credentials: Credentials, uri: str) -> bool:
    """Return whether the storage of a URI takes credentials of another kind."""
    scheme = SCHEMES.get(scheme_of(uri))
    return (
        scheme is not None and scheme.credentials is not None and not isinstance(credentials, scheme.credentials.kind)
    )


def write_auth(credentials: Credentials) -> JsonObject:
    """Return the credentials as `auth` of a request."""
    return {_form_of(credentials).field: _dump(credentials)}


def seal_form(credentials: Credentials) -> JsonObject:
    """Return the credentials in the form in which the database keeps them, sealed."""
    kind = _form_of(credentials).field
    return _dump(credentials) | ({} if kind == FIELD_WITHOUT_KIND else {KIND: kind})


def unseal_form(data: Mapping[str, Any]) -> Credentials:
    kind = data.get(KIND, FIELD_WITHOUT_KIND)
    form = next(form for form in FORMS if form.field == kind)
    return form.kind(**{name: value for name, value in data.items() if name != KIND})


def _form_of(credentials: Credentials) -> CredentialsForm:
    return next(form for form in FORMS if isinstance(credentials, form.kind))


def _dump(credentials: Credentials) -> JsonObject:
    return {name: value for name, value in asdict(credentials).items() if value is not None}
