"""Live progress counts the transcribed audio of unfinished files per job."""

from __future__ import annotations

from batchscribe.jobs.model import File
from batchscribe.stages.job_context import FilesInHand


def file(job: int, seq: int) -> File:
    return File(job_number=job, seq=seq, shard=1, input_uri="memory://a.wav", output_uri="memory://a.json")


def test_the_running_files_of_a_job_add_up_until_they_are_dropped() -> None:
    in_hand = FilesInHand()
    in_hand.reach(file(1, 1), 10.0)
    in_hand.reach(file(1, 1), 40.0)
    in_hand.reach(file(1, 2), 5.0)
    in_hand.reach(file(2, 1), 7.0)
    assert (in_hand.audio_sec(1), in_hand.audio_sec(2)) == (45.0, 7.0)
    in_hand.drop(file(1, 1))
    in_hand.drop(file(1, 1))
    assert in_hand.audio_sec(1) == 5.0
