"""Checks of the storage for recordings and transcripts."""

from __future__ import annotations

import http.client
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from batchscribe.doctor.check import Check, CheckResult, ok, report_failure, report_skip, warning
from batchscribe.errors import InvalidSetting, OutputExists, StorageError
from batchscribe.settings import Settings
from batchscribe.storage.access import Access, AwsCredentials
from batchscribe.storage.s3 import BucketStore
from batchscribe.storage.s3_address import checked_endpoint

ENDPOINT, BUCKET = "S3 endpoint", "bucket"
ANSWER_SEC = 10
SKEW_SEC = 300.0  #: S3 rejects signatures that are off by 15 minutes
PROBE = "batchscribe-doctor-"


@dataclass(frozen=True, slots=True)
class Probe:
    """A bucket, or a prefix in it, to test."""

    uri: str
    write: bool  #: whether to write an object and delete it
    aws: AwsCredentials | None


def check_storage(settings: Settings, probe: Probe | None) -> Iterator[Check]:
    yield from (check_root(root) for root in settings.file_roots)
    endpoint = check_endpoint(settings)
    if endpoint is not None:
        yield endpoint
    if probe is None:
        return
    if endpoint is not None and endpoint.verdict is CheckResult.FAILED:
        yield report_skip(BUCKET, "Not checked, because the endpoint does not answer.")
    else:
        yield check_bucket(settings, probe)


def check_root(root: Path) -> Check:
    """Check a folder that `file://` URIs may use."""
    name = "folder of file:// URIs"
    root = Path(str(root).partition("{tenant}")[0])  # below it, each tenant has a folder
    if not root.is_dir():
        advice = "Create it, mount it, or correct BATCHSCRIBE_FILE_ROOTS."
        return report_failure(name, f"{root} is not a folder.", advice)
    if not os.access(root, os.R_OK | os.X_OK):
        return report_failure(name, f"{root} is not readable.", "Allow this user to read it.")
    if not os.access(root, os.W_OK):
        return warning(name, f"{root} is not writable.", "For recordings, this is fine; store transcripts elsewhere.")
    return ok(name, f"{root} is readable and writable.")


def check_endpoint(settings: Settings) -> Check | None:
    """Check that the endpoint speaks HTTP, and its clock. AWS itself is not checked."""
    try:
        endpoint = checked_endpoint(Access.from_settings(settings))
    except InvalidSetting as error:
        return report_failure(ENDPOINT, error.message, "Correct the setting.")
    if endpoint is None:
        return None
    try:
        date = _date_of(endpoint)
    except (OSError, http.client.HTTPException) as error:
        return report_failure(
            ENDPOINT,
            f"{endpoint} does not answer ({getattr(error, 'strerror', None) or type(error).__name__}).",
            "Check that the service is running and that this machine may connect to it.",
        )
    if date is not None and abs(date - time.time()) > SKEW_SEC:
        return warning(
            ENDPOINT,
            f"Its clock differs from this machine's by {abs(date - time.time()):.0f} s; it may reject signatures.",
            "Synchronize both machines' clocks with NTP.",
        )
    return ok(ENDPOINT, f"{endpoint} answers.")


def _date_of(endpoint: str) -> float | None:
    """Return the endpoint's time in Unix seconds; None if its response has no valid date."""
    url = urlsplit(endpoint)
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = connect(url.netloc, timeout=ANSWER_SEC)
    try:
        connection.request("HEAD", url.path or "/")
        date = connection.getresponse().headers.get("date")
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:  # a malformed date
        return None
    finally:
        connection.close()


def check_bucket(settings: Settings, probe: Probe) -> Check:
    """List the bucket. If requested, also write an empty object, check that it is not replaced, and delete it."""
    advice = "Check the bucket's name, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and the key's permissions."
    store = BucketStore(Access.from_settings(settings, aws=probe.aws))
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
        "Jobs with the same output may overwrite each other's transcripts; use storage that supports If-None-Match.",
    )
