"""Service against bare engine: the same recordings, the same windows, the same number of engine processes.

Bare: the windows are in memory and go straight to the engine processes. Service: submit the job, find the files,
decode, find speech, transcribe, write, commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import DecoderPool, Segmentation
from batchscribe.settings import load_settings
from batchscribe.speech.engine import EngineSpec, RecognitionRequest
from batchscribe.speech.pool import EnginePool
from batchscribe.speech.registry import choose_engine
from batchscribe.storage.access import Access
from batchscribe.storage.schemes import connect
from batchscribe.window import Window
from benchmarks.flow import bench
from benchmarks.processes import cpu_sec
from benchmarks.recordings import examples
from benchmarks.report import Figure

ENGINE, LANGUAGE, PROCESSES = "pocketsphinx", "en-US", 2


def measure() -> list[Figure]:
    recordings = examples()
    settings = load_settings(engine_processes=PROCESSES)
    spec = choose_engine(ENGINE, LANGUAGE, settings).spec
    windows = decoded(recordings, window_sec=spec.window_sec)
    bare_wall_sec, bare_cpu_sec = _bare(windows, spec)
    with TemporaryDirectory() as folder, bench(Path(folder), engine_processes=PROCESSES) as flow:
        flow.run(recordings[:1], engine=ENGINE)  # the processes are started and the model is loaded
        run = flow.run(recordings, engine=ENGINE)
    audio_sec = run.job.summary.audio_sec
    outside_sec = (run.cpu_sec - bare_cpu_sec) / (audio_sec / 3600)
    return [
        Figure("recordings", f"{len(recordings)}"),
        Figure("audio", f"{audio_sec:.0f} s"),
        Figure("bare engine, audio seconds per wall second", f"{audio_sec / bare_wall_sec:.2f}"),
        Figure("service, audio seconds per wall second", f"{audio_sec / run.wall_sec:.2f}"),
        Figure("service : bare engine", f"{bare_wall_sec / run.wall_sec:.2f}", "at least 0.90"),
        Figure("CPU outside the engine per audio hour", f"{outside_sec:.0f} s"),
    ]


def decoded(recordings: list[Path], *, segmentation: Segmentation = "auto", window_sec: float = 0.0) -> list[Window]:
    """The windows of all recordings, in memory."""
    with decoding_alone(recordings, 1, segmentation=segmentation, window_sec=window_sec) as decode:
        return [window for path in recordings for window in decode(path)]


@contextmanager
def decoding_alone(
    recordings: Sequence[Path], decoders: int, *, segmentation: Segmentation = "auto", window_sec: float = 0.0
) -> Iterator[Callable[[Path], list[Window]]]:
    """Yield a function that returns the windows of one of the recordings. As many threads as decoders may call it."""
    settings = load_settings()
    store = connect(Access(settings, file_roots=tuple({path.parent for path in recordings})))
    with DecoderPool(decoders, DecodeLimits.from_settings(settings)) as pool:

        def decode(path: Path) -> list[Window]:
            with (
                store.open(path.as_uri()) as source,
                pool.decode(source, channels_apart=False, segmentation=segmentation, window_sec=window_sec) as decoding,
            ):
                return list(decoding.windows())

        yield decode


def _bare(windows: list[Window], spec: EngineSpec) -> tuple[float, float]:
    """Wall and CPU seconds of the engine processes alone."""
    with EnginePool(spec, PROCESSES) as pool:
        for future in [pool.submit(RecognitionRequest(windows[0], LANGUAGE)) for _ in range(PROCESSES * 2)]:
            future.result()
        cpu_before, began_at = cpu_sec(), time.monotonic()
        for future in [pool.submit(RecognitionRequest(window, LANGUAGE)) for window in windows]:
            future.result()
        return time.monotonic() - began_at, cpu_sec() - cpu_before
