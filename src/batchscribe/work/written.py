"""Look at what already lies under an output's URI, before and after the work.

A worker may have died between writing a transcript and putting that on record. The request id is derived from the
input, the configuration and the engine, and a transcript is the same whenever these are: one that carries our request
id is our own, and is neither made nor written again.
"""

from __future__ import annotations

import json

from batchscribe.errors import ObjectNotFound, OutputExists
from batchscribe.jobs.model import File, Job
from batchscribe.jobs.outcome import Outcome
from batchscribe.storage.store import Store

MAX_TRANSCRIPT_BYTES = 256 * 2**20  #: two days of speech with word times


def outcome_of_existing(file: File, job: Job, request_id: str, store: Store) -> Outcome | None:
    """The outcome when there is nothing to do for this file, otherwise None."""
    first_try = file.attempt <= 1
    if first_try and job.output.overwrite:
        return None
    try:
        store.stat(file.output_uri)
    except ObjectNotFound:
        return None
    own = None if first_try else own_outcome(file, request_id, store)
    if own is None and not job.output.overwrite:
        return Outcome.skipped(exists(file))
    return own


def own_outcome(file: File, request_id: str, store: Store) -> Outcome | None:
    """What a transcript of our own says about itself; None for anybody else's object."""
    try:
        document = json.loads(store.read(file.output_uri, limit_bytes=MAX_TRANSCRIPT_BYTES))
    except ValueError:
        return None
    if not isinstance(document, dict) or document.get("request_id") != request_id:
        return None
    return Outcome.succeeded(duration_sec=document["duration_sec"], warnings=tuple(document["metadata"]["warnings"]))


def exists(file: File) -> OutputExists:
    return OutputExists(f"{file.output_uri} exists already and was left alone; ask for overwrite to replace it.")
