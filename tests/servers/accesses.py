"""Access to the storage of a test, with given settings and credentials."""

from __future__ import annotations

from typing import Any

from batchscribe.settings import Settings
from batchscribe.storage.access import Access, Credentials


def access_with(credentials: Credentials | None = None, **settings: Any) -> Access:
    """Return access with these settings and the defaults of all others; nothing is read from the environment."""
    return Access(Settings.model_construct(**settings), credentials=credentials)
