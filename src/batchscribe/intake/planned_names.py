"""The names that a job's first transcripts would get, without storing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice

from batchscribe.errors import StorageError
from batchscribe.jobs.layout import fits, names_for
from batchscribe.jobs.model import File
from batchscribe.stages.existing_output import ExistingOutput, RecordingIdentity, has_recording
from batchscribe.stages.naming import LOOKED_AT, Look, Naming
from batchscribe.storage.store import ObjectInfo
from batchscribe.wire.choices import OutputLayout

LOOKS_AT_ONCE = 8


class PlannedNames:
    """The `Register` of a dry run. `files` are those that it lists; `is_taken` covers the names of all files."""

    def __init__(self, files: list[File], is_taken: Callable[[str], bool]) -> None:
        self._files = {file.output_uri: file for file in files}
        self._is_taken = is_taken

    def holder(self, uri: str) -> File | None:
        return self._files.get(uri)

    def is_free(self, file: File, uri: str) -> bool:
        holder = self.holder(uri)
        return holder is file or (holder is None and not self._is_taken(uri))

    def rename(self, file: File, uri: str) -> bool:
        self._files = {name: each for name, each in self._files.items() if each.seq != file.seq}
        self._files[uri] = replace(file, output_uri=uri)
        return True

    def take_over(self, file: File, uri: str) -> bool:
        holder = self.holder(uri)
        self.rename(file, uri)
        if holder is not None and holder.seq != file.seq:
            names = names_for(holder.output_uri, holder.input_uri)
            self.rename(holder, next(name for name in names if self.is_free(holder, name)))
        return True

    def earlier_input(self, uri: str) -> str | None:
        return None

    def by_seq(self) -> dict[int, File]:
        return {file.seq: file for file in self._files.values()}


def settle_names(
    files: list[File], layout: OutputLayout, look: Look, stat: Callable[[str], ObjectInfo], names: PlannedNames
) -> list[File]:
    """Return the files with the names that they would get. A file keeps its planned name if the storage fails."""
    usual = {file.seq: {file.output_uri, *_list_usual_names(file, layout)} for file in files}
    look = _fetch_ahead(set().union(*usual.values()), look)
    naming = Naming(layout, look, names, partial(has_recording, stat))
    for seq in usual:
        file = names.by_seq()[seq]
        try:
            if any(look(uri) for uri in usual[seq]):
                naming.settle(file, RecordingIdentity.of(stat(file.input_uri)))
        except StorageError:
            continue  # the job itself will report it
    return [names.by_seq()[file.seq] for file in files]


def _list_usual_names(file: File, layout: OutputLayout) -> Iterator[str]:
    if layout is not OutputLayout.SINGLE:
        yield from filter(fits, islice(names_for(file.output_uri, file.input_uri), LOOKED_AT))


def _fetch_ahead(uris: set[str], look: Look) -> Look:
    """Fetch these outputs now, several at a time, and return a `look` that knows them."""

    def fetch(uri: str) -> ExistingOutput | StorageError | None:
        try:
            return look(uri)
        except StorageError as error:
            return error

    with ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look-") as threads:
        known = dict(zip(uris, threads.map(fetch, uris), strict=True))

    def answer(uri: str) -> ExistingOutput | None:
        found = known[uri] if uri in known else fetch(uri)
        if isinstance(found, StorageError):
            raise found
        return found

    return answer
