"""The version of a recording as an entity tag (RFC 9110), which does not show the ETag of its storage."""

from __future__ import annotations

import hashlib


def version_tag(etag: object, size_bytes: object) -> str | None:
    """Return a strong entity tag; None if the storage gave no ETag."""
    if not isinstance(etag, str) or not isinstance(size_bytes, int):
        return None
    digest = hashlib.sha256(f"{size_bytes} {etag}".encode(errors="replace")).hexdigest()
    return f'"{digest[:32]}"'
