"""Queries on the waveform of a recording and on the names of its speakers."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from batchscribe.database.tables import speaker_name, waveform
from batchscribe.jobs.model import File
from batchscribe.window import Waveform


def find_waveform(connection: sa.Connection, job_number: int, seq: int) -> Waveform | None:
    row = connection.execute(
        sa.select(waveform.c.peak_sec, waveform.c.channels, waveform.c.peaks).where(
            waveform.c.job == job_number, waveform.c.seq == seq
        )
    ).first()
    return None if row is None else Waveform.of_bytes(row.peak_sec, row.channels, row.peaks)


def store_waveform(connection: sa.Connection, item: File, peaks: Waveform) -> None:
    """Store a waveform, in place of that of an earlier attempt."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"peak_sec": peaks.peak_sec, "channels": len(peaks.channels), "peaks": peaks.as_bytes()}
    new = insert(waveform).values(job=item.job_number, seq=item.seq, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["job", "seq"], set_=values))


def names_of_speakers(connection: sa.Connection, job_number: int, seq: int) -> dict[str, str]:
    """Return the names that people gave to the speakers of a transcript, by label."""
    found = sa.select(speaker_name.c.label, speaker_name.c.name).where(
        speaker_name.c.job == job_number, speaker_name.c.seq == seq
    )
    return {row.label: row.name for row in connection.execute(found.order_by(speaker_name.c.label))}


def names_in_files(
    connection: sa.Connection, files: Collection[tuple[int, int]]
) -> dict[tuple[int, int], dict[str, str]]:
    """Return the same for a page of files, each the number of its job and its own. Files without names are left out."""
    key = sa.tuple_(speaker_name.c.job, speaker_name.c.seq)
    found: dict[tuple[int, int], dict[str, str]] = {}
    for row in connection.execute(sa.select(speaker_name).where(key.in_(sorted(files)))):
        found.setdefault((row.job, row.seq), {})[row.label] = row.name
    return found


def name_speaker_of(connection: sa.Connection, job_number: int, seq: int, label: str, name: str) -> None:
    """Replace the name of a speaker; an empty one removes it."""
    here = (speaker_name.c.job == job_number, speaker_name.c.seq == seq, speaker_name.c.label == label)
    connection.execute(sa.delete(speaker_name).where(*here))
    if name:
        connection.execute(sa.insert(speaker_name).values(job=job_number, seq=seq, label=label, name=name))
