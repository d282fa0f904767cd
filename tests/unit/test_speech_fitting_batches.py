"""Batches that are halved if the engine's memory does not suffice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from batchscribe.speech.fitting_batches import FittingBatches, is_out_of_memory
from batchscribe.window import Recognition


def named(name: str) -> Recognition:
    return Recognition.of(name, (), 1.0)


class Engine:
    """An engine that returns the names of its windows and has memory for some of them at a time."""

    def __init__(self, fits: int, error: Exception) -> None:
        self.sizes: list[int] = []
        self._fits = fits
        self._error = error

    def transcribe(self, windows: Sequence[str]) -> list[Recognition]:
        self.sizes.append(len(windows))
        if len(windows) > self._fits:
            raise self._error
        return [named(window) for window in windows]


WINDOWS = [f"{number}" for number in range(64)]
NO_MEMORY = RuntimeError("CUDA failed with error out of memory")


def test_a_batch_is_halved_until_it_fits_and_the_size_is_kept() -> None:
    engine = Engine(20, NO_MEMORY)
    batches = FittingBatches(engine.transcribe)
    assert batches.transcribe(WINDOWS) == [named(window) for window in WINDOWS]
    assert engine.sizes == [64, 32, 16, 16, 16, 16]
    assert batches.transcribe(WINDOWS[:20]) == [named(window) for window in WINDOWS[:20]]
    assert engine.sizes[6:] == [16, 4]


def test_a_single_window_that_does_not_fit_is_an_error() -> None:
    engine = Engine(0, NO_MEMORY)
    with pytest.raises(RuntimeError, match="out of memory"):
        FittingBatches(engine.transcribe).transcribe(WINDOWS[:5])
    assert engine.sizes == [5, 2, 1]


def test_other_errors_are_not_retried() -> None:
    engine = Engine(1, ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        FittingBatches(engine.transcribe).transcribe(WINDOWS[:4])
    assert engine.sizes == [4]


@pytest.mark.parametrize(
    ("error", "is_of_memory"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA failed with error out of memory"), True),
        (RuntimeError("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), True),
        (Exception("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv node."
                   " Status Message: bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 1"), True),
        (Exception("[ONNXRuntimeError] : 1 : FAIL : CUDA failure 2: out of memory ; GPU=0"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("CUDA failed with error no CUDA-capable device is detected"), False),
        (ValueError("Unsupported model binary version"), False),
    ],
)  # fmt: skip
def test_the_messages_of_the_libraries_are_recognized(error: Exception, is_of_memory: bool) -> None:
    assert is_out_of_memory(error) is is_of_memory
