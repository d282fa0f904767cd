"""Jobs whose engine or model no live worker has. They wait until a worker with it starts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from batchscribe.database.backlog import EngineBacklog, backlog_by_engine
from batchscribe.database.connect import Connection
from batchscribe.jobs.worker_record import WorkerRecord
from batchscribe.speech.capability import describe_model_at


def find_stranded_jobs(connection: Connection, live: Sequence[WorkerRecord]) -> list[EngineBacklog]:
    """Return the stranded jobs in the lanes of these workers, by engine and model."""
    stranded: list[EngineBacklog] = []
    for lane in dict.fromkeys(lane for worker in live for lane in worker.lanes):
        engines = list(chain.from_iterable(worker.engines for worker in live if lane in worker.lanes))
        served = {engine.name for engine in engines} | {engine.key for engine in engines if engine.has_queue}
        stranded += [each for each in backlog_by_engine(connection, lane) if each.queue_key not in served]
    return stranded


def describe_stranded(jobs: EngineBacklog) -> str:
    """Return a sentence with the engine, the model and the number of jobs."""
    model = f" with {describe_model_at(jobs.model, jobs.revision)}" if jobs.model else ""
    return f"Jobs that wait for the engine {jobs.engine}{model}, which no worker has: {jobs.jobs}."
