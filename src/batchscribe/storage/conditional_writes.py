"""What the clouds share about writes that replace nothing."""

from __future__ import annotations

import base64
import hashlib

from batchscribe.errors import OutputExists

#: Name prefix of the test object that is sent to the folder of the first transcript before a job begins. Services that
#: check digests never store it.
PROBE = ".batchscribe-probe-"


def probe_beside(uri: str) -> str:
    """Return the URI of a test object in the folder of this URI. Its name depends only on the URI."""
    return f"{uri.rpartition('/')[0]}/{PROBE}{hashlib.sha256(uri.encode()).hexdigest()[:16]}.json"


def content_md5(data: bytes) -> str:
    """Return the digest with which a storage rejects a damaged body, in Base64."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def output_exists(uri: str) -> OutputExists:
    return OutputExists(f"{uri} already exists; allow overwriting or choose another output.")
