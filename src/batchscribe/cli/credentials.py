"""S3 keys of the person at the keyboard: from the environment only, since arguments show in the list of processes."""

from __future__ import annotations

import os
from collections.abc import Iterable

from batchscribe.errors import UsageError
from batchscribe.jobs.source import Source
from batchscribe.storage.access import AwsCredentials
from batchscribe.wire.output import Output
from batchscribe.wire.uris import scheme_of


def credentials_of_environment() -> AwsCredentials | None:
    """The variables that AWS tools read; None when no key is set: requests then go unsigned.

    Raises `UsageError` for half a key.
    """
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key and not secret:
        return None
    if not key or not secret:
        raise UsageError("Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.")
    return AwsCredentials(
        access_key_id=key, secret_access_key=secret, session_token=os.environ.get("AWS_SESSION_TOKEN") or None
    )


def needs_credentials(sources: Iterable[Source], output: Output) -> bool:
    """A job gets no key that it has no use for."""
    return "s3" in {scheme_of(output.uri), *(scheme_of(source.uri) for source in sources)}
