"""Made-up transcripts with the words of English in their usual frequencies, and jobs to which they belong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tests.jobs_on_record import a_job
from wordfreq import top_n_list, word_frequency

from batchscribe.database.connect import Database
from batchscribe.database.file_rows import insert_files
from batchscribe.database.job_rows import insert_job
from batchscribe.database.segment_rows import store_segments
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.wire.choices import FileState

TRANSCRIPTS, SEGMENTS, WORDS = 10_000, 100, 15  #: ten minutes of speech at 150 words a minute
FILES_PER_JOB = 100
SMALL_EVERY = 100  #: one job in a hundred is of the small tenant
BIG, SMALL = "default", "small"
VOCABULARY = 50_000
SEGMENT_SEC = 6.0
MARKER, MARKER_EVERY = "zzyzx", 2_000  #: a word of few transcripts
GREETING = "thank you for calling"  #: a phrase that begins each transcript


@dataclass(frozen=True, slots=True)
class Filled:
    """The seconds that each transcript took in its own transaction, in order."""

    took_sec: list[float]


def fill(database: Database) -> Filled:
    """Store all transcripts, in a transaction each."""
    words = np.array(top_n_list("en", VOCABULARY), dtype=object)
    frequencies = np.array([word_frequency(word, "en") for word in words])
    cumulated = np.cumsum(frequencies / frequencies.sum())
    dice = np.random.default_rng(14)
    took_sec = []
    for number, (job, seq) in enumerate(_files(database)):
        drawn = words[np.searchsorted(cumulated, dice.random(SEGMENTS * WORDS)).clip(max=len(words) - 1)]
        segments = list(_segments(drawn.tolist(), has_marker=number % MARKER_EVERY == 0))
        began_at = time.perf_counter()
        with database.begin() as connection:
            store_segments(connection, job, seq, segments)
        took_sec.append(time.perf_counter() - began_at)
    return Filled(took_sec)


def _segments(words: list[str], *, has_marker: bool) -> Iterator[SpokenSegment]:
    for number in range(SEGMENTS):
        part = words[number * WORDS : (number + 1) * WORDS]
        if number == 0:
            part = [GREETING, *part, *([MARKER] if has_marker else [])]
        text = " ".join(part).capitalize() + "."
        yield SpokenSegment(SEGMENT_SEC * number, SEGMENT_SEC * (number + 1), number % 2, None, text)


def _files(database: Database) -> Iterator[tuple[int, int]]:
    """Store jobs. Yield the number of each file's job and its own."""
    for number in range(TRANSCRIPTS // FILES_PER_JOB):
        tenant = SMALL if number % SMALL_EVERY == SMALL_EVERY // 2 else BIG
        with database.begin() as connection:
            job = insert_job(connection, a_job(job_id=f"job_{number}", tenant=tenant), fingerprint="f")
            insert_files(connection, [_row(job.number, seq) for seq in range(1, FILES_PER_JOB + 1)])
        for seq in range(1, FILES_PER_JOB + 1):
            yield job.number, seq


def _row(job: int, seq: int) -> dict[str, object]:
    return {
        "job": job,
        "seq": seq,
        "shard": 1,
        "input_uri": f"s3://calls/{job}/{seq}.wav",
        "output_uri": f"s3://transcripts/{job}/{seq}.json",
        "size_bytes": 9_600_000,
        "state": FileState.SUCCEEDED,
    }
