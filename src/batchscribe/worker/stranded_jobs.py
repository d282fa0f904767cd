"""Jobs whose engine, model or speaker models no live worker has. They wait until a worker with them starts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from batchscribe.database.backlog import EngineBacklog, backlog_by_engine
from batchscribe.database.connect import Connection
from batchscribe.jobs.worker_record import WorkerRecord
from batchscribe.speech.capability import Capability, describe_model_at, queue_key_of


def find_stranded_jobs(connection: Connection, live: Sequence[WorkerRecord]) -> list[EngineBacklog]:
    """Return the stranded jobs in the lanes of these workers, by engine and model."""
    stranded: list[EngineBacklog] = []
    for lane in dict.fromkeys(lane for worker in live for lane in worker.lanes):
        engines = list(chain.from_iterable(worker.engines for worker in live if lane in worker.lanes))
        served = {key for engine in engines for key in _served_queues(engine)}
        stranded += [each for each in backlog_by_engine(connection, lane) if each.queue_key not in served]
    return stranded


def _served_queues(engine: Capability) -> list[str]:
    """Return the keys of the queues that a worker reads because it has this engine."""
    keys = [engine.name, engine.key] if engine.has_queue else [engine.name]
    return [*keys, *(queue_key_of(key, diarization=True) for key in keys if engine.has_speakers)]


def describe_stranded(jobs: EngineBacklog) -> str:
    """Return a sentence with the engine, the model and the number of jobs."""
    model = f" with {describe_model_at(jobs.model, jobs.revision)}" if jobs.model else ""
    speakers = " and the speaker models" if jobs.diarization else ""
    return f"Jobs that wait for the engine {jobs.engine}{model}{speakers}, which no worker has: {jobs.jobs}."
