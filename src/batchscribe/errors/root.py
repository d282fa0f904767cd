"""The root of all errors."""

from __future__ import annotations

from typing import ClassVar


class BatchscribeError(Exception):
    """Base of all batchscribe errors. `code` is stable; `str(error)` is a sentence for the user."""

    code: ClassVar[str] = "ERROR"

    @property
    def message(self) -> str:
        return str(self)
