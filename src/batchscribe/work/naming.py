"""Decide which name a recording's transcript has, by what lies under the names that it may have.

A name belongs to a recording, not to its place in today's listing: one that was transcribed before keeps its name
whatever came or went beside it, and no transcript of another recording is ever replaced. The enumeration hands out
names without a look at storage; here, when the work on a file begins, it is found out whether they hold.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from batchscribe.jobs.layout import fits, names_for, too_long
from batchscribe.jobs.model import File
from batchscribe.transcript.provenance import Provenance
from batchscribe.wire.choices import OutputLayout
from batchscribe.wire.uris import HTTP_SCHEMES, scheme_of, without_query
from batchscribe.work.written import Existing, Identity

Look = Callable[[str], Existing | None]

LOOKED_AT = 2  #: names of a recording that are looked at in any case: usually those without a number
#: So many numbers without a transcript, one after the other, end the search: recordings fail, and transcripts go.
GAP = 20
GROUPS_REMEMBERED = 16  #: of recordings of one name


class Register(Protocol):
    """Which file of the job has which name."""

    def holder(self, uri: str) -> File | None: ...

    def is_free(self, file: File, uri: str) -> bool:
        """Whether no other file of the job has it as its output, and none as its input."""
        ...

    def rename(self, file: File, uri: str) -> bool:
        """Put the file's name on record; False when another file has it."""
        ...

    def take_over(self, file: File, uri: str) -> bool:
        """As `rename`; another file that has the name gets its own next one, unless it is done: then False."""
        ...

    def earlier_input(self, uri: str) -> str | None:
        """Which recording an earlier job wrote this transcript of."""
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """A file with the name it keeps, and what lies there. `is_own` when that is of this recording."""

    file: File
    existing: Existing | None = None
    is_own: bool = False

    @property
    def is_of_another(self) -> bool:
        return self.existing is not None and self.existing.provenance is not None and not self.is_own


class Naming:
    """Of the files of one job. Thread-safe."""

    def __init__(
        self, layout: OutputLayout, look: Look, register: Register, has_input: Callable[[str], bool] = lambda _: False
    ) -> None:
        """`has_input` tells whether a recording is still under a URI; one that is has not moved elsewhere."""
        self._layout = layout
        self._look = look
        self._register = register
        self._has_input = has_input
        self._numbered: OrderedDict[str, dict[str, Existing]] = OrderedDict()
        self._lock = threading.Lock()

    def settle(self, file: File, me: Identity) -> Named:
        """Raises `ShardTaken` when the file has gone to another worker, and `StorageError`.

        One kind of the latter is `OutputNameTooLong`, where every name that fits is another recording's.
        """
        planned = self._named(file, me)
        if planned.is_own or self._layout is OutputLayout.SINGLE:
            return planned
        own = self._own_elsewhere(file, me, is_taken=planned.is_of_another)
        if own is not None and self._register.take_over(file, own.file.output_uri):
            return own
        return self._next_free(file) if planned.is_of_another else planned

    def _named(self, file: File, me: Identity) -> Named:
        existing = self._look(file.output_uri)
        if existing is None or existing.provenance is None:
            return Named(file, existing)
        return Named(file, existing, self._is_own(file, existing.provenance, me, is_planned=True))

    def _own_elsewhere(self, file: File, me: Identity, *, is_taken: bool) -> Named | None:
        """The transcript of this recording under another of its names."""
        names = list(filter(fits, islice(names_for(file.output_uri, file.input_uri), LOOKED_AT)))
        for uri in names:
            named = replace(file, output_uri=uri)
            if uri != file.output_uri and (existing := self._look(uri)) is not None:
                is_taken = True
                if existing.provenance and self._is_own(named, existing.provenance, me, is_planned=False):
                    return Named(named, existing, is_own=True)
        if file.output_uri in names and not is_taken:
            return None
        for uri, existing in self._with_numbers(file).items():
            named = replace(file, output_uri=uri)
            if existing.provenance and self._is_own(named, existing.provenance, me, is_planned=False):
                return Named(named, existing, is_own=True)
        return None

    def _with_numbers(self, file: File) -> dict[str, Existing]:
        """All transcripts under numbered names, which are looked at once for all recordings of this name."""
        names = islice(names_for(file.output_uri, file.input_uri), LOOKED_AT, None)
        first = next(names)
        with self._lock:
            if first not in self._numbered:
                self._numbered[first] = dict(self._found(first, names))
            self._numbered.move_to_end(first)
            if len(self._numbered) > GROUPS_REMEMBERED:
                self._numbered.popitem(last=False)
            return self._numbered[first]

    def _found(self, first: str, names: Iterator[str]) -> Iterator[tuple[str, Existing]]:
        uri, missing = first, 0
        while missing < GAP and fits(uri):
            existing = self._look(uri)
            missing = missing + 1 if existing is None else 0
            if existing is not None:
                yield uri, existing
            uri = next(names)

    def _next_free(self, file: File) -> Named:
        for uri in names_for(file.output_uri, file.input_uri):
            if not fits(uri):
                raise too_long(uri)
            if uri != file.output_uri and self._register.is_free(file, uri) and self._look(uri) is None:
                named = replace(file, output_uri=uri)
                if self._register.rename(file, uri):
                    return Named(named)
        raise AssertionError("There is always another number.")

    def _is_own(self, file: File, found: Provenance, me: Identity, *, is_planned: bool) -> bool:
        """Whether the transcript under this name is of this recording."""
        if found.input_uri is None and found.request_id != me.request_id:
            return self._is_own_of_old(file, found, me, is_planned=is_planned)
        if me.is_named_by(found):
            return True
        if found.input_uri is None or not me.has_moved_from(found):
            return False
        holder = self._register.holder(file.output_uri)
        is_held = holder is not None and holder.seq != file.seq and without_query(holder.input_uri) == found.input_uri
        return not is_held and not self._is_still_there(found.input_uri, me)

    def _is_still_there(self, uri: str, me: Identity) -> bool:
        """Asked in the recording's own bucket or file system only: what a transcript names comes from outside."""
        return scheme_of(uri) not in HTTP_SCHEMES and _place_of(uri) == _place_of(me.uri) and self._has_input(uri)

    def _is_own_of_old(self, file: File, found: Provenance, me: Identity, *, is_planned: bool) -> bool:
        """Of a transcript by a release that did not write its recording's URI, which may have changed since.

        The records decide, whatever the bytes say: a recording that was renamed has those of the one before. Without
        records a recording of another size is another one, or it would never be transcribed.
        """
        earlier = self._register.earlier_input(file.output_uri)
        if earlier is not None:
            return without_query(earlier) == me.uri
        return me.is_named_by(found) or (is_planned and me.size_bytes == found.input_size_bytes)


def _place_of(uri: str) -> list[str]:
    """`s3://bucket`, or `file://`."""
    return uri.split("/")[:3]
