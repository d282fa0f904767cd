"""The devices of a pool: where its next engine process may run, and which devices are out of order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from batchscribe.errors import MachineTrouble
from batchscribe.metrics import ENGINE_PROCESSES
from batchscribe.speech.engine import EngineSpec

log = structlog.get_logger()

#: Seconds after which a GPU that is out of order is tried again, if there is work for it.
RETRY_SEC = 60.0


@dataclass(slots=True)
class PoolDevice:
    """A device with its specification, and how many engine processes it may have."""

    spec: EngineSpec
    most: int
    trouble: MachineTrouble | None = None
    failed_at: float = 0.0

    @property
    def name(self) -> str:
        return self.spec.device

    @property
    def may_be_tried(self) -> bool:
        return self.trouble is None or time.monotonic() - self.failed_at >= RETRY_SEC


class PoolDevices:
    """The devices of a pool: the CPU, or GPUs with one engine process each. The caller must hold the pool's lock."""

    def __init__(self, spec: EngineSpec, processes: int) -> None:
        specs = [spec.on(device) for device in spec.devices]
        self.all = [PoolDevice(each, 1) for each in specs] or [PoolDevice(spec, processes)]
        self._engine = spec.name
        ENGINE_PROCESSES.labels(spec.name).inc(processes)

    def close(self) -> None:
        ENGINE_PROCESSES.labels(self._engine).dec(sum(device.most for device in self.all if self._is_counted(device)))

    @property
    def are_several(self) -> bool:
        return len(self.all) > 1

    @property
    def trouble(self) -> MachineTrouble | None:
        """The trouble of the first device if no device works."""
        first = self.all[0].trouble
        return first if all(device.trouble for device in self.all) else None

    def find_free(self, used: Sequence[str]) -> PoolDevice | None:
        """Return a device for one more process, if possible one that works. `used` has the device of each process."""
        free = [each for each in self.all if each.may_be_tried and used.count(each.name) < each.most]
        return min(free, key=lambda device: device.trouble is not None, default=None)

    def by_name(self, name: str) -> PoolDevice:
        return next(device for device in self.all if device.name == name)

    def fail(self, device: PoolDevice, trouble: MachineTrouble) -> None:
        is_news = device.trouble is None
        device.trouble, device.failed_at = trouble, time.monotonic()
        if is_news and self.are_several:
            ENGINE_PROCESSES.labels(self._engine).dec(device.most)
            log.error("engine.device_unfit", engine=self._engine, device=device.name, reason=trouble.message)

    def recover(self, device: PoolDevice) -> None:
        was_unfit, device.trouble = device.trouble is not None, None
        if was_unfit and self.are_several:
            ENGINE_PROCESSES.labels(self._engine).inc(device.most)
            log.warning("engine.device_fit_again", engine=self._engine, device=device.name)

    def _is_counted(self, device: PoolDevice) -> bool:
        return device.trouble is None or not self.are_several
