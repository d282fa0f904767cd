"""Calls of an engine with batches that fit into its memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from batchscribe.window import Recognition

T = TypeVar("T")

#: From CTranslate2 ("CUDA failed with error out of memory"), ONNX Runtime ("Failed to allocate memory for requested
#: buffer", "CUDA failure 2: out of memory", "bad allocation"), cuBLAS and cuDNN (ALLOC_FAILED, ALLOCATION_FAILED).
_OUT_OF_MEMORY = re.compile(r"out of memory|failed to allocate|bad[_ ]alloc|ALLOC(ATION)?_FAILED", re.IGNORECASE)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an engine's error says that the memory of the machine or of the GPU does not suffice."""
    return isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)) is not None


class FittingBatches(Generic[T]):
    """An engine whose batches are halved if its memory does not suffice. The reduced size is kept for later batches."""

    def __init__(self, transcribe: Callable[[Sequence[T]], list[Recognition]]) -> None:
        self._transcribe = transcribe
        self._most: int | None = None  #: windows in one call that fit; None: not limited yet

    def transcribe(self, windows: Sequence[T]) -> list[Recognition]:
        """Return one recognition per window. Raises the engine's error if a single window does not fit."""
        recognitions: list[Recognition] = []
        while left := windows[len(recognitions) :]:
            recognitions += self._transcribe_first(left)
        return recognitions

    def _transcribe_first(self, windows: Sequence[T]) -> list[Recognition]:
        """Transcribe as many of the first windows as fit into one call."""
        size = min(len(windows), self._most or len(windows))
        while True:
            try:
                return self._transcribe(windows[:size])
            except Exception as error:
                if size == 1 or not is_out_of_memory(error):
                    raise
            self._most = size = size // 2  # outside the handler, whose error holds the engine's memory
