"""Listing of a job's sources, page by page, from the position of its cursor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from batchscribe.errors import StorageError
from batchscribe.jobs.model import Cursor, Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.storage.store import Store
from batchscribe.wire.uris import FILE_SCHEME, scheme_of

PAGE_FILES = 1000  #: page size for files that are named individually; a listing has the same


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a page, with its source. The size is None if it was not requested."""

    uri: str
    size_bytes: int | None
    source: Source
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class ListingPage:
    """Objects in order, and the cursor after them (its counters are not updated yet)."""

    found: tuple[ListedObject, ...]
    cursor: Cursor


def list_pages(job: Job, store: Store) -> Iterator[ListingPage]:
    """Yield all remaining pages; the last cursor has `listed` set. Raises `StorageError`."""
    at = job.cursor
    left = list(enumerate(job.sources))[at.source :]
    for kind, group in groupby(left, key=lambda pair: pair[1].kind):
        if kind is SourceKind.FILE:
            yield from _list_named(list(group), store, at)
        else:
            for index, source in group:
                yield from _list_source(index, source, store, at)
    yield ListingPage((), replace(at, source=len(job.sources), after=None, listed=True))


def _list_named(group: list[tuple[int, Source]], store: Store, at: Cursor) -> Iterator[ListingPage]:
    for start in range(0, len(group), PAGE_FILES):
        part = group[start : start + PAGE_FILES]
        found = tuple(ListedObject(source.uri, _local_size(source.uri, store), source) for _, source in part)
        yield ListingPage(found, replace(at, source=part[-1][0] + 1, after=None))


def _list_source(index: int, source: Source, store: Store, at: Cursor) -> Iterator[ListingPage]:
    after = at.after if index == at.source else None
    for objects in store.list(source.uri, after=after):
        found = tuple(ListedObject(each.uri, each.size, source, each.is_link) for each in objects)
        yield ListingPage(found, replace(at, source=index, after=objects[-1].position or objects[-1].uri))
    yield ListingPage((), replace(at, source=index + 1, after=None))


def _local_size(uri: str, store: Store) -> int | None:
    """Return the size of a local file, so that small files can share a shard. A local query is cheap.

    Returns None if the file is missing; the file then fails when it is processed.
    """
    if scheme_of(uri) != FILE_SCHEME:
        return None
    try:
        return store.stat(uri).size
    except StorageError:
        return None
