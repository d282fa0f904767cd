"""The whole flow against the engine alone and decoding alone: the same recordings and windows, in the same run.

Engine alone: the windows are in memory and go straight to the engine processes. Decoding alone: a decoder per core,
and nothing takes the windows. Flow: from the submission of the job to its last commit, with recordings and transcripts
in a folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from batchscribe.metrics import REGISTRY, Stage
from batchscribe.settings import load_settings
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import choose_engine
from batchscribe.window import Window
from batchscribe.wire.config import Config
from benchmarks.flow import bench
from benchmarks.gpu.card import Busy, Card
from benchmarks.gpu.workload import Workload
from benchmarks.machine import cores
from benchmarks.report import Figure
from benchmarks.service import decoding_alone
from benchmarks.usage import DECODER, ENGINE, OTHER, PARENT, Usage, metered

LANGUAGE = "en-US"


@dataclass(frozen=True, slots=True)
class Rig:
    """An engine with a model on a device. `card` is None on a CPU."""

    engine: str
    tokens: int | None  #: that the model writes for a window; None: they are not counted
    settings: dict[str, str]  #: by the names of fields
    card: Card | None
    engine_processes: int

    @property
    def spec(self) -> EngineSpec:
        settings = load_settings(engine_processes=self.engine_processes, **self.settings)
        return choose_engine(self.engine, LANGUAGE, settings).spec


@dataclass(slots=True)
class Measured:
    """What the processes used in a block, all of it from its begin to its end."""

    usage: Usage
    busy: Busy
    wall_sec: float = 0.0
    engine_busy_sec: float = 0.0
    stages_sec: dict[str, float] | None = None


def measure(workload: Workload, rig: Rig) -> Iterator[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = workload.write(folder / "in")
        windows, decoding_sec = _decode(paths, rig)
        alone = _alone(windows, rig)
        flow = _flow(paths, folder, rig)
    slower_sec = max(alone.wall_sec, decoding_sec)
    yield Figure(f"windows of {workload.count} x {workload.name}", f"{len(windows)}")
    if rig.tokens:
        yield Figure("tokens of a window", f"{rig.tokens}")
    yield Figure("engine alone, audio seconds per second", f"{workload.audio_sec / alone.wall_sec:.1f}")
    yield Figure("decoding alone, audio seconds per second", f"{workload.audio_sec / decoding_sec:.1f}")
    yield Figure("whole flow, audio seconds per second", f"{workload.audio_sec / flow.wall_sec:.1f}")
    yield Figure("whole flow : engine alone", f"{alone.wall_sec / flow.wall_sec:.2f}", "at least 0.80")
    yield Figure("whole flow : the slower of both alone", f"{slower_sec / flow.wall_sec:.2f}", "at least 0.90")
    if rig.card:
        yield Figure("GPU busy, engine alone", f"{alone.busy.mean_percent:.0f} %")
        yield Figure("GPU busy, whole flow", f"{flow.busy.mean_percent:.0f} %", "at least 90 %")
        yield Figure("GPU memory, peak", f"{flow.busy.peak_bytes / 2**30:.1f} GiB")
    yield from _where_the_time_goes(flow, workload, rig)


def _where_the_time_goes(flow: Measured, workload: Workload, rig: Rig) -> Iterator[Figure]:
    processes, hours = rig.spec.count_processes(rig.engine_processes), workload.audio_sec / 3600
    share = flow.engine_busy_sec / flow.wall_sec / processes
    yield Figure(f"{processes} engine processes at work, share of the flow's time", f"{100 * share:.0f} %")
    for stage, waited_sec in (flow.stages_sec or {}).items():
        yield Figure(f"files wait: {stage}, mean", f"{waited_sec / workload.count:.2f} s")
    n_cores, cpu_sec = len(cores()), flow.usage.cpu_sec()
    yield Figure(
        f"audio seconds per second that this CPU time allows on {n_cores} cores",
        f"{n_cores * workload.audio_sec / cpu_sec:.0f}",
    )
    for kind in (PARENT, DECODER, ENGINE, OTHER):
        yield Figure(f"CPU per hour of audio: {kind}", f"{flow.usage.cpu_sec(kind) / hours:.1f} s")


def _decode(paths: Sequence[Path], rig: Rig) -> tuple[list[Window], float]:
    """Return the windows, and the wall seconds of a decoder on each core."""
    n_decoders = len(cores())
    with (
        decoding_alone(paths, n_decoders, window_sec=rig.spec.window_sec) as decode,
        ThreadPoolExecutor(n_decoders) as threads,
    ):
        list(threads.map(decode, [paths[0]] * n_decoders))  # the decoders are started
        began_at = time.monotonic()
        windows = [window for found in threads.map(decode, paths) for window in found]
        return windows, time.monotonic() - began_at


def _alone(windows: Sequence[Window], rig: Rig) -> Measured:
    spec = rig.spec
    with EnginePool(spec, rig.engine_processes) as pool:
        for future in [pool.submit(RecognitionRequest(windows[0], LANGUAGE)) for _ in range(2 * pool.processes)]:
            future.result()  # the processes are started and the model is loaded
        with _measured(rig) as measured:
            futures = [pool.submit(RecognitionRequest(window, LANGUAGE)) for window in windows]
            texts = [future.result().text for future in futures]
    longest = max(sum(letter.isalpha() for letter in text) for text in texts)
    assert rig.tokens in (None, longest), f"windows have up to {longest} tokens instead of {rig.tokens}"
    return measured


def _flow(paths: Sequence[Path], folder: Path, rig: Rig) -> Measured:
    config = Config(language=LANGUAGE, word_time_offsets=True)
    with bench(folder, engine_processes=rig.engine_processes, more=rig.settings) as flow:
        flow.run(paths[:1], engine=rig.engine, config=config)
        with _measured(rig) as measured:
            run = flow.run([paths[0].parent], engine=rig.engine, config=config)
    assert run.job.summary.succeeded == len(paths), run.job.summary
    measured.wall_sec = run.wall_sec  # without the last look of the samplers
    return measured


@contextmanager
def _measured(rig: Rig) -> Iterator[Measured]:
    """Measure this process and its children in the block."""
    if rig.card:
        with rig.card.watched() as busy, _measured_here(rig.engine, busy) as measured:
            yield measured
    else:
        with _measured_here(rig.engine, Busy()) as measured:
            yield measured


@contextmanager
def _measured_here(engine: str, busy: Busy) -> Iterator[Measured]:
    engine_before, stages_before = _engine_busy_sec(engine), _stages_sec()
    began_at = time.monotonic()
    with metered(os.getpid(), has_memory=False) as usage:
        measured = Measured(usage, busy)
        yield measured
        measured.wall_sec = time.monotonic() - began_at
    measured.engine_busy_sec = _engine_busy_sec(engine) - engine_before
    measured.stages_sec = {stage: sec - stages_before[stage] for stage, sec in _stages_sec().items()}


def _engine_busy_sec(engine: str) -> float:
    return REGISTRY.get_sample_value("batchscribe_engine_busy_seconds_total", {"engine": engine}) or 0.0


def _stages_sec() -> dict[str, float]:
    """Seconds that files have waited, by stage."""
    return {
        each.value: REGISTRY.get_sample_value("batchscribe_stage_seconds_sum", {"stage": each.value}) or 0.0
        for each in Stage
    }
