"""Names of the test objects that show whether a folder can be written to."""

from __future__ import annotations

import hashlib

#: Name prefix of the test object that is sent to the folder of the first transcript before a job begins. Services that
#: check digests never store it.
PROBE = ".batchscribe-probe-"


def probe_beside(uri: str) -> str:
    """Return the URI of a test object in the folder of this URI. Its name depends only on the URI."""
    return f"{uri.rpartition('/')[0]}/{PROBE}{hashlib.sha256(uri.encode()).hexdigest()[:16]}.json"
