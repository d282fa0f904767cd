"""What lies under an output's name: our own transcript is done, somebody else's object is left alone or replaced."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from batchscribe.jobs.model import File, Job
from batchscribe.jobs.outcome import Outcome
from batchscribe.storage.memory import MemoryStore
from batchscribe.wire.output import Output
from batchscribe.wire.states import FileState
from batchscribe.work.written import outcome_of_existing, own_outcome
from tests.jobs_on_record import a_job

OURS = {"request_id": "req_ours", "duration_sec": 2.5, "metadata": {"warnings": ["cut off"]}}
FIRST_TRY = File(
    job_number=1, seq=1, shard=1, input_uri="memory://in/a.wav", output_uri="memory://out/a.json", attempt=1
)
SECOND_TRY = replace(FIRST_TRY, attempt=2)
KEEP = a_job()
OVERWRITE = a_job(output=Output(uri="file:///out/", overwrite=True))


def store_with(document: object) -> MemoryStore:
    return MemoryStore({"memory://out/a.json": json.dumps(document).encode()})


def test_after_a_death_our_own_transcript_is_neither_made_nor_written_again() -> None:
    done = Outcome.succeeded(duration_sec=2.5, warnings=("cut off",))
    for job in (KEEP, OVERWRITE):
        assert outcome_of_existing(SECOND_TRY, job, "req_ours", store_with(OURS)) == done


@pytest.mark.parametrize("file", [FIRST_TRY, SECOND_TRY])
def test_somebody_elses_object_is_left_alone_without_overwrite(file: File) -> None:
    outcome = outcome_of_existing(file, KEEP, "req_other", store_with(OURS))
    assert outcome is not None
    assert (outcome.state, outcome.error_code) == (FileState.SKIPPED, "OUTPUT_EXISTS")


@pytest.mark.parametrize("file", [FIRST_TRY, SECOND_TRY])
def test_somebody_elses_object_is_replaced_with_overwrite(file: File) -> None:
    assert outcome_of_existing(file, OVERWRITE, "req_other", store_with(OURS)) is None


@pytest.mark.parametrize("job", [KEEP, OVERWRITE])
def test_where_nothing_lies_there_is_everything_to_do(job: Job) -> None:
    assert outcome_of_existing(SECOND_TRY, job, "req_ours", MemoryStore()) is None


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"request_id": "req_other"}', '"req_ours"'])
def test_what_is_no_transcript_of_ours_is_nobodys_outcome(content: str) -> None:
    store = MemoryStore({"memory://out/a.json": content.encode()})
    assert own_outcome(SECOND_TRY, "req_ours", store) is None
