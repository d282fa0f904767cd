"""Who of a job has which output name, on record: the `Register` of `naming`."""

from __future__ import annotations

import sqlalchemy as sa

from batchscribe.database.file import find_output_holder, find_transcribed_input, lock_holders, rename
from batchscribe.errors import ShardTaken
from batchscribe.jobs.layout import names_for
from batchscribe.jobs.model import File, Job
from batchscribe.jobs.source import named_files
from batchscribe.work.records import Records


class FileRegister:
    """The file rows of a job."""

    def __init__(self, job: Job, records: Records) -> None:
        self._job = job
        self._records = records
        self._inputs = named_files(job.sources)

    def holder(self, uri: str) -> File | None:
        with self._records.transaction() as connection:
            return find_output_holder(connection, self._job.number, uri)

    def is_free(self, file: File, uri: str) -> bool:
        holder = self.holder(uri)
        return uri not in self._inputs and (holder is None or holder.seq == file.seq)

    def rename(self, file: File, uri: str) -> bool:
        """Raises `ShardTaken` when another worker has the file."""
        try:
            with self._records.transaction() as connection:
                _rename(connection, file, uri)
        except sa.exc.IntegrityError:
            return False
        return True

    def take_over(self, file: File, uri: str) -> bool:
        """Raises `ShardTaken` as `rename`."""
        while True:
            try:
                with self._records.transaction() as connection:
                    lock_holders(connection, file, uri)  # the holder may be about to move by itself
                    holder = find_output_holder(connection, self._job.number, uri)
                    if holder is not None and holder.seq != file.seq:
                        if holder.is_final:
                            return False  # its transcript is there, and its row says where
                        _rename(connection, holder, self._next_name(connection, holder))
                    _rename(connection, file, uri)
            except sa.exc.IntegrityError:  # another file took one of the two names meanwhile
                continue
            return True

    def _next_name(self, connection: sa.Connection, file: File) -> str:
        return next(
            name
            for name in names_for(file.output_uri, file.input_uri)
            if name not in self._inputs and find_output_holder(connection, self._job.number, name) is None
        )

    def earlier_input(self, uri: str) -> str | None:
        with self._records.transaction() as connection:
            return find_transcribed_input(connection, self._job.tenant, uri, before_job=self._job.number)


def _rename(connection: sa.Connection, file: File, uri: str) -> None:
    """Two files of a job never have one name: an index sees to that."""
    if not rename(connection, file, uri):
        raise ShardTaken("Another worker has begun this file.")
