"""The choice of a name for each transcript.

A name belongs to a recording, not to its position in a listing. A recording that was transcribed before keeps its name,
whatever was added or removed beside it. The transcript of another recording is never replaced. The listing assigns
names without access to storage. When work on a file starts, `Naming` checks its name against storage. `FileRegister`
records the names of a job's files.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from batchscribe.database.connect import Connection, UniqueConflict
from batchscribe.database.file_rows import find_output_holder, find_transcribed_input, lock_holders, rename
from batchscribe.errors import ShardTaken
from batchscribe.jobs.layout import TRANSCRIPT_EXTENSIONS, fits, names_for, stem_of, too_long
from batchscribe.jobs.model import File, Job
from batchscribe.jobs.source import named_files
from batchscribe.queue.records import Records
from batchscribe.stages.existing_output import ExistingOutput, RecordingIdentity
from batchscribe.transcript.provenance import Provenance
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.uris import HTTP_SCHEMES, scheme_of, without_query

Look = Callable[[str], ExistingOutput | None]

LOOKED_AT = 2  #: names of a recording that are always looked up: usually those without a number
#: The search ends after this many consecutive numbers without a transcript. Gaps occur: recordings fail, and
#: transcripts are deleted.
GAP = 20
GROUPS_REMEMBERED = 16  #: groups of recordings with the same name


class NameRegister(Protocol):
    """The register of names: which file of the job has which name."""

    def holder(self, uri: str) -> File | None: ...

    def is_free(self, file: File, uri: str) -> bool:
        """Return whether no other file of the job has the URI as its output, and no file has it as its input."""
        ...

    def rename(self, file: File, uri: str) -> bool:
        """Record the file's name. Returns False if another file has it."""
        ...

    def take_over(self, file: File, uri: str) -> bool:
        """Record the file's name even if another file has it: that file gets its own next name.

        Returns False if the other file is done.
        """
        ...

    def earlier_input(self, uri: str) -> str | None:
        """Return the recording of which an earlier job wrote this transcript."""
        ...


@dataclass(frozen=True, slots=True)
class OutputName:
    """A file with its name, and what is stored there. `is_own` means that it is a transcript of this recording."""

    file: File
    existing: ExistingOutput | None = None
    is_own: bool = False

    @property
    def is_of_another(self) -> bool:
        return self.existing is not None and self.existing.provenance is not None and not self.is_own


class Naming:
    """The names of the files of one job. Thread-safe."""

    def __init__(
        self,
        layout: OutputLayout,
        look: Look,
        register: NameRegister,
        has_input: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`has_input` returns whether a recording still exists under a URI. If so, it has not moved."""
        self._layout = layout
        self._look = look
        self._register = register
        self._has_input = has_input
        self._numbered: OrderedDict[str, dict[str, ExistingOutput]] = OrderedDict()
        self._lock = threading.Lock()

    def settle(self, file: File, me: RecordingIdentity) -> OutputName:
        """Choose the file's name. Raises `ShardTaken` if another worker has taken the file, and `StorageError`.

        The latter includes `OutputNameTooLong`, if other recordings have all names that are short enough.
        """
        planned = self._choose_name(file, me)
        if planned.is_own or self._layout is OutputLayout.SINGLE:
            return planned
        own = self._find_own(file, me, is_taken=planned.is_of_another)
        if own is not None and self._register.take_over(file, own.file.output_uri):
            return own
        return self._next_free(file) if planned.is_of_another else planned

    def _choose_name(self, file: File, me: RecordingIdentity) -> OutputName:
        existing = self._look(file.output_uri)
        if existing is None or existing.provenance is None:
            return OutputName(file, existing)
        return OutputName(file, existing, self._is_own(file, existing.provenance, me, is_planned=True))

    def _find_own(self, file: File, me: RecordingIdentity, *, is_taken: bool) -> OutputName | None:
        """Find the transcript of this recording under another of its names."""
        names = list(filter(fits, islice(names_for(file.output_uri, file.input_uri), LOOKED_AT)))
        for uri in names:
            named = replace(file, output_uri=uri)
            if uri != file.output_uri and (existing := self._look(uri)) is not None:
                is_taken = True
                if existing.provenance and self._is_own(named, existing.provenance, me, is_planned=False):
                    return OutputName(named, existing, is_own=True)
        if file.output_uri in names and not is_taken:
            return None
        for uri, existing in self._with_numbers(file).items():
            named = replace(file, output_uri=uri)
            if existing.provenance and self._is_own(named, existing.provenance, me, is_planned=False):
                return OutputName(named, existing, is_own=True)
        return None

    def _with_numbers(self, file: File) -> dict[str, ExistingOutput]:
        """Return all transcripts under numbered names. They are looked up once for all recordings with this name."""
        names = islice(names_for(file.output_uri, file.input_uri), LOOKED_AT, None)
        first = next(names)
        with self._lock:
            if first not in self._numbered:
                self._numbered[first] = dict(self._find_existing(first, names))
            self._numbered.move_to_end(first)
            if len(self._numbered) > GROUPS_REMEMBERED:
                self._numbered.popitem(last=False)
            return self._numbered[first]

    def _find_existing(self, first: str, names: Iterator[str]) -> Iterator[tuple[str, ExistingOutput]]:
        uri, missing = first, 0
        while missing < GAP and fits(uri):
            existing = self._look(uri)
            missing = missing + 1 if existing is None else 0
            if existing is not None:
                yield uri, existing
            uri = next(names)

    def _next_free(self, file: File) -> OutputName:
        for uri in names_for(file.output_uri, file.input_uri):
            if not fits(uri):
                raise too_long(uri)
            if uri != file.output_uri and self._register.is_free(file, uri) and self._look(uri) is None:
                named = replace(file, output_uri=uri)
                if self._register.rename(file, uri):
                    return OutputName(named)
        raise AssertionError("There is always another number.")

    def _is_own(self, file: File, found: Provenance, me: RecordingIdentity, *, is_planned: bool) -> bool:
        """Return whether the transcript under this name is of this recording."""
        if found.input_uri is None and found.request_id != me.request_id:
            return self._is_own_of_old(file, found, me, is_planned=is_planned)
        if me.is_named_by(found):
            return True
        if found.input_uri is None or not me.has_moved_from(found):
            return False
        holder = self._register.holder(file.output_uri)
        is_held = holder is not None and holder.seq != file.seq and without_query(holder.input_uri) == found.input_uri
        return not is_held and not self._is_still_there(found.input_uri, me)

    def _is_still_there(self, uri: str, me: RecordingIdentity) -> bool:
        """Return whether the input of a transcript still exists.

        Looks only in the recording's own bucket or file system, because the content of a transcript is untrusted.
        """
        return scheme_of(uri) not in HTTP_SCHEMES and _place_of(uri) == _place_of(me.uri) and self._has_input(uri)

    def _is_own_of_old(self, file: File, found: Provenance, me: RecordingIdentity, *, is_planned: bool) -> bool:
        """Return whether a transcript of an older release, which did not record the input URI, is of this recording.

        The recording may have changed since. The records take precedence over size and ETag: a renamed recording has
        the same bytes as before. Without records, a recording of another size is a different one, or it would never be
        transcribed. Formats other than JSON do not even contain the size.
        """
        earlier = self._register.earlier_input(file.output_uri)
        if earlier is not None:
            return without_query(earlier) == me.uri
        return me.is_named_by(found) or (is_planned and found.input_size_bytes in (None, me.size_bytes))


def _place_of(uri: str) -> list[str]:
    """Return the parts of `s3://bucket`, or of `file://`."""
    return uri.split("/")[:3]


class FileRegister:
    """Name register in the file rows of a job."""

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
        """Record the file's name. Raises `ShardTaken` if another worker has the file."""
        try:
            with self._records.transaction() as connection:
                _rename(connection, file, uri)
        except UniqueConflict:
            return False
        return True

    def take_over(self, file: File, uri: str) -> bool:
        """Record the file's name even if another file has it. Raises `ShardTaken` as `rename` does."""
        while True:
            try:
                with self._records.transaction() as connection:
                    lock_holders(connection, file, uri)  # the holder may be getting a new name itself
                    holder = find_output_holder(connection, self._job.number, uri)
                    if holder is not None and holder.seq != file.seq:
                        if holder.is_final:
                            return False  # its row refers to the transcript with this name
                        _rename(connection, holder, self._next_name(connection, holder))
                    _rename(connection, file, uri)
            except UniqueConflict:  # another file took one of the two names meanwhile
                continue
            return True

    def _next_name(self, connection: Connection, file: File) -> str:
        return next(
            name
            for name in names_for(file.output_uri, file.input_uri)
            if name not in self._inputs and find_output_holder(connection, self._job.number, name) is None
        )

    def earlier_input(self, uri: str) -> str | None:
        with self._records.transaction() as connection:
            names = [uri, *(f"{stem_of(uri)}{extension}" for extension in sorted(TRANSCRIPT_EXTENSIONS))]
            found = (
                find_transcribed_input(connection, self._job.tenant, name, before_job=self._job.number)
                for name in dict.fromkeys(names)
            )
            return next((earlier for earlier in found if earlier is not None), None)


def _rename(connection: Connection, file: File, uri: str) -> None:
    """Rename a file. A unique index ensures that two files of a job never have the same name. Raises `ShardTaken`."""
    if not rename(connection, file, uri):
        raise ShardTaken("Another worker has started this file.")
