"""An NVIDIA GPU: its name, and the share of time in which it is busy, as its driver measures it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.sampling import sampled

SAMPLE_SEC = 0.1
INSTALL = "pip install nvidia-ml-py"


@dataclass(slots=True)
class Busy:
    """Grows while the block runs."""

    percents: list[int] = field(default_factory=list)
    peak_bytes: int = 0  #: of the card's memory, by all programs

    @property
    def mean_percent(self) -> float:
        return sum(self.percents) / len(self.percents) if self.percents else 0.0


@dataclass(frozen=True, slots=True)
class Card:
    """An open card. `driver` is the library, whose names are those of NVML."""

    driver: Any
    handle: Any

    @property
    def name(self) -> str:
        memory_gib = self.driver.nvmlDeviceGetMemoryInfo(self.handle).total / 2**30
        version = self.driver.nvmlSystemGetDriverVersion()
        return f"{self.driver.nvmlDeviceGetName(self.handle)}, {memory_gib:.0f} GiB, driver {version}"

    @contextmanager
    def watched(self) -> Iterator[Busy]:
        """Sample the card in the block."""
        busy = Busy()

        def look() -> None:
            busy.percents.append(int(self.driver.nvmlDeviceGetUtilizationRates(self.handle).gpu))
            busy.peak_bytes = max(busy.peak_bytes, int(self.driver.nvmlDeviceGetMemoryInfo(self.handle).used))

        with sampled(look, SAMPLE_SEC):
            yield busy


def open_card(number: int) -> Card:
    """Open the card with this number. Without a card, its driver or the library, the program ends with a message."""
    try:
        import pynvml
    except ImportError:
        sys.exit(f"The busy share of a GPU is measured with the package nvidia-ml-py: {INSTALL}. {WITHOUT}")
    try:
        pynvml.nvmlInit()
        return Card(pynvml, pynvml.nvmlDeviceGetHandleByIndex(number))
    except pynvml.NVMLError as error:
        sys.exit(f"NVIDIA GPU {number} cannot be used here ({error}). {WITHOUT}")


WITHOUT = "Without a GPU, try the benchmark with `python -m benchmarks.gpu --device cpu --small`."
