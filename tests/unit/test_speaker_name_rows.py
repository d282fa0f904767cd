"""The names that people gave to speakers, on both databases."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.reader_rows import name_speaker_of, names_in_files, names_of_speakers
from tests.jobs_on_record import stored_job


def test_names_are_those_of_their_file(connection: sa.Connection) -> None:
    one, other = (stored_job(connection, job_id=f"job_{at}", files=2).number for at in range(2))
    name_speaker_of(connection, one, 1, "Speaker 1", "Ada")
    name_speaker_of(connection, one, 1, "Speaker 2", "Grace")
    name_speaker_of(connection, one, 2, "Speaker 1", "Joan")
    name_speaker_of(connection, other, 1, "Speaker 1", "Mary")
    assert names_of_speakers(connection, one, 1) == {"Speaker 1": "Ada", "Speaker 2": "Grace"}
    assert names_in_files(connection, {(one, 1), (other, 1), (other, 2)}) == {
        (one, 1): {"Speaker 1": "Ada", "Speaker 2": "Grace"},
        (other, 1): {"Speaker 1": "Mary"},
    }
    assert names_in_files(connection, set()) == {}


def test_an_empty_name_removes_a_name(connection: sa.Connection) -> None:
    job = stored_job(connection, files=1).number
    for name in ("Ada", "Grace", ""):
        name_speaker_of(connection, job, 1, "Speaker 1", name)
        assert names_of_speakers(connection, job, 1) == ({"Speaker 1": name} if name else {})
