"""Checks of the storage for recordings and transcripts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from batchscribe.check import Check, CheckResult, ok, report_failure, report_skip, warning
from batchscribe.errors import OutputExists, StorageError
from batchscribe.settings import Settings
from batchscribe.storage.access import Access, Credentials
from batchscribe.storage.schemes import SCHEMES
from batchscribe.storage.store import BucketStore
from batchscribe.wire.uris import scheme_of

BUCKET = "bucket"
PROBE = "batchscribe-doctor-"


@dataclass(frozen=True, slots=True)
class Probe:
    """A bucket, or a prefix in it, to test."""

    uri: str
    write: bool  #: whether to write an object and delete it
    credentials: Credentials | None


def check_storage(settings: Settings, probe: Probe | None) -> Iterator[Check]:
    """Check what each scheme needs, and the bucket of the probe."""
    checks = {name: list(scheme.examine(settings)) for name, scheme in SCHEMES.items()}
    yield from (check for found in checks.values() for check in found)
    if probe is None:
        return
    if any(check.verdict is CheckResult.FAILED for check in checks.get(scheme_of(probe.uri), ())):
        yield report_skip(BUCKET, "Not checked, because the endpoint does not answer.")
    else:
        yield check_bucket(settings, probe)


def check_bucket(settings: Settings, probe: Probe) -> Check:
    """List the bucket. If requested, also write an empty object, check that it is not replaced, and delete it."""
    scheme = SCHEMES.get(scheme_of(probe.uri))
    store = scheme and scheme.connect(Access(settings, credentials=probe.credentials))
    if scheme is None or scheme.credentials is None or not isinstance(store, BucketStore):
        return report_failure(BUCKET, f"{probe.uri} names no bucket.", "Name one, such as s3://bucket/prefix.")
    variables = ", ".join(dict.fromkeys(scheme.credentials.variables.values()))
    advice = f"Check the bucket's name, the credentials ({variables}) and their permissions."
    try:
        objects = len(next(store.list(probe.uri), []))
        found = f"{probe.uri} can be listed{'' if objects else ', and is empty'}"
        if not probe.write:
            return ok(BUCKET, f"{found}.")
        return _check_writing(store, probe.uri, found)
    except StorageError as error:
        return report_failure(BUCKET, error.message, advice)


def _check_writing(store: BucketStore, prefix: str, found: str) -> Check:
    uri = f"{prefix.rstrip('/')}/{PROBE}{secrets.token_hex(8)}"
    store.write(uri, b"", overwrite=False, content_type="text/plain")
    try:
        store.write(uri, b"", overwrite=False, content_type="text/plain")
    except OutputExists:
        return ok(BUCKET, f"{found}, written to, and deleted from.")
    finally:
        store.delete(uri)
    return warning(
        BUCKET,
        f"{found}, written to, and deleted from, but it ignores the condition not to replace objects.",
        "Jobs with the same output may overwrite each other's transcripts; use storage with conditional writes.",
    )
