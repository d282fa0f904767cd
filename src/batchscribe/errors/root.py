"""The root of all errors."""

from __future__ import annotations

from typing import ClassVar


class BatchscribeError(Exception):
    """Base of all batchscribe errors. `str(error)` is a sentence for the user.

    `code` is stable. Every error that can end a request, a file or a job has its own.
    """

    code: ClassVar[str]

    @property
    def message(self) -> str:
        return str(self)
