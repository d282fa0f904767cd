"""The result of one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from batchscribe.errors import BatchscribeError
from batchscribe.wire.states import FileState


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file's final state, with the values to store in its row."""

    state: FileState
    duration_sec: float | None = None
    error_code: str | None = None
    error_message: str | None = None
    warnings: tuple[str, ...] = ()

    @classmethod
    def succeeded(cls, *, duration_sec: float, warnings: tuple[str, ...] = ()) -> Self:
        return cls(FileState.SUCCEEDED, duration_sec=duration_sec, warnings=warnings)

    @classmethod
    def failed(cls, error: BatchscribeError) -> Self:
        return cls(FileState.FAILED, error_code=error.code, error_message=error.message)

    @classmethod
    def skipped(cls, error: BatchscribeError) -> Self:
        return cls(FileState.SKIPPED, error_code=error.code, error_message=error.message)
