"""Why storage denied a request of the reader, and whether a person can help by entering credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batchscribe.errors import AccessDenied, CredentialsExpired, CredentialsNeeded, ObjectNotFound, StorageError
from batchscribe.jobs.model import Job
from batchscribe.wire.locations import is_in_cloud
from batchscribe.wire.uris import HTTP_SCHEMES, scheme_of

_DENIALS = (AccessDenied, CredentialsExpired)


@contextmanager
def explain_denial(job: Job, side: str, uri: str) -> Iterator[None]:
    """Raise `CredentialsNeeded` if the storage in the block denies access with the present credentials."""
    try:
        yield
    except StorageError as error:
        if not _may_be_opened(error, uri):
            raise
        hint = " The job has ended; enter credentials that may read it." if job.is_final else ""
        raise CredentialsNeeded(f"{error.message}{hint}", side=side, uri=uri) from None


def _may_be_opened(error: StorageError, uri: str) -> bool:
    """Return whether other credentials may help. Without its signature, a URL may also seem not to exist."""
    if scheme_of(uri) in HTTP_SCHEMES:
        return isinstance(error, (*_DENIALS, ObjectNotFound))
    return is_in_cloud(uri) and isinstance(error, _DENIALS)
