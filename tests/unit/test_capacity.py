"""How much a worker does at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batchscribe.settings import Settings, load_settings
from batchscribe.speech.whisper_spec import CUDA_BATCH
from batchscribe.worker.capacity import Capacity, capacity_of
from tests.models.whisper import random_whisper

CORES = 16


@pytest.fixture(autouse=True)
def _cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(CORES)))


def settings(folder: Path, **others: object) -> Settings:
    if not (folder / "models" / "tiny").exists():
        random_whisper(folder / "models" / "tiny")
    return load_settings(data_dir=folder, **others)


def test_on_a_cpu_it_follows_the_engine_processes(tmp_path: Path) -> None:
    assert capacity_of(settings(tmp_path, device="cpu")) == Capacity(shards=32, files=32, decoders=16)
    assert capacity_of(settings(tmp_path, device="cpu", engine_processes=1)) == Capacity(shards=2, files=2, decoders=1)


@pytest.mark.parametrize("engine_processes", [None, 1])
@pytest.mark.parametrize(("device", "gpus"), [("cuda:0", 1), ("cuda:0,cuda:3", 2)])
def test_with_gpus_it_follows_the_cores_and_the_batches(
    tmp_path: Path, engine_processes: int | None, device: str, gpus: int
) -> None:
    found = capacity_of(settings(tmp_path, device=device, engine_processes=engine_processes))
    assert found == Capacity(shards=32, files=32 + 2 * gpus * CUDA_BATCH, decoders=16)
    assert found.open_recordings == 32


def test_the_settings_have_precedence(tmp_path: Path) -> None:
    given = settings(tmp_path, device="cuda:0", decoders=3, engine_processes=2, files_in_progress=50)
    assert capacity_of(given) == Capacity(shards=6, files=50, decoders=3)


def test_without_an_engine_it_follows_the_engine_processes(tmp_path: Path) -> None:
    given = load_settings(data_dir=tmp_path, engine="whisper", device="cuda:0", engine_processes=3)
    assert capacity_of(given) == Capacity(shards=6, files=6, decoders=3)
