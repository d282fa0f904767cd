"""A command whose engines pause after some windows, so that it cannot end before the test has stopped or killed it.

Usage: python -m tests.integration.pausing_command WINDOWS WORD... The words are those of `batchscribe`.
"""

from __future__ import annotations

import runpy
import sys

import pytest

from batchscribe.settings import Settings
from batchscribe.speech.engine import EngineSpec
from batchscribe.worker import worker
from batchscribe.worker.engine_pools import EnginePools, MakePool
from tests.integration.pausing_pool import PausingPool


def main(windows: int, *words: str) -> None:
    def make(spec: EngineSpec, _processes: int) -> PausingPool:
        return PausingPool(windows, spec=spec)

    def pausing(settings: Settings, _make_pool: MakePool) -> EnginePools:
        return EnginePools(settings, make)

    pytest.MonkeyPatch().setattr(worker, "EnginePools", pausing)  # permanently: this process has nothing else to do
    sys.argv = ["batchscribe", *words]
    runpy.run_module("batchscribe", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
