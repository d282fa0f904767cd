"""How much a worker does at once: shards, files, decoders, and threads of diarization."""

from __future__ import annotations

from dataclasses import dataclass

from batchscribe.cpu_cores import count_cores
from batchscribe.errors import EngineNotAvailable
from batchscribe.settings import Settings
from batchscribe.speech.engine import EngineSpec
from batchscribe.speech.registry import find_engines

#: Files in progress for each engine process: while one is transcribed, the next is read, decoded or written.
FILES_PER_ENGINE = 2
#: Batches of a GPU for which files are in progress: while one is transcribed, the next is prepared.
BATCHES_PER_GPU = 2
MOST_SPEAKER_THREADS = 8


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a worker has in progress at once."""

    shards: int
    files: int
    decoders: int  #: that work at the same time

    @property
    def open_recordings(self) -> int:
        """Files in progress that have a decoder process, which may wait for the engines."""
        return self.shards


def capacity_of(settings: Settings) -> Capacity:
    """Return the capacity of a worker with these settings and the engines that it has now.

    On a CPU it follows the number of engine processes. A GPU transcribes as fast as many cores decode, and a short
    recording fills a single place in its batches, so with GPUs it follows the cores and the size of the batches.
    """
    waiting = max((_windows_of_gpus(spec) for spec in _installed(settings)), default=0)
    cores = count_cores() if waiting else 0
    decoders = settings.decoders or max(settings.engine_processes, cores)
    shards = FILES_PER_ENGINE * max(settings.engine_processes, decoders)
    return Capacity(shards, settings.files_in_progress or shards + waiting, decoders)


def speaker_threads() -> int:
    """Return how many threads diarize one recording: half of the cores, but at most `MOST_SPEAKER_THREADS`.

    Diarization takes less CPU time than recognition, so with many recordings in progress these threads mostly wait. But
    one thread could not keep up with a single recording that has all engine processes or a GPU.
    """
    return min(max(1, count_cores() // 2), MOST_SPEAKER_THREADS)


def speaker_processes() -> int:
    """Return how many recordings may be diarized at once: as many as have a core for each of their threads.

    Each has a process of its own. More of them would take memory, and no recording would be done sooner.
    """
    return count_cores() // speaker_threads()


def _windows_of_gpus(spec: EngineSpec) -> int:
    return BATCHES_PER_GPU * spec.batch_size * len(spec.devices)


def _installed(settings: Settings) -> list[EngineSpec]:
    try:
        return find_engines(settings.engine, settings)
    except EngineNotAvailable:
        return []
