"""Read a job's sources page by page, from wherever its cursor stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from batchscribe.errors import StorageError
from batchscribe.jobs.model import Cursor, Job
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.storage.store import Store
from batchscribe.wire.uris import FILE_SCHEME, scheme_of

PAGE_FILES = 1000  #: files named one by one that are stored together; a listing's page is as long


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a page, with the source that led to it. The size is unknown where nothing was asked."""

    uri: str
    size_bytes: int | None
    source: Source
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class ListingPage:
    """Objects in order, and where the cursor stands behind them (its counters are not moved yet)."""

    found: tuple[ListedObject, ...]
    cursor: Cursor


def list_pages(job: Job, store: Store) -> Iterator[ListingPage]:
    """All pages that are left; the last one's cursor says `listed`. Raises `StorageError`."""
    at = job.cursor
    left = list(enumerate(job.sources))[at.source :]
    for kind, group in groupby(left, key=lambda pair: pair[1].kind):
        if kind is SourceKind.FILE:
            yield from _named(list(group), store, at)
        else:
            for index, source in group:
                yield from _listed(index, source, store, at)
    yield ListingPage((), replace(at, source=len(job.sources), after=None, listed=True))


def _named(group: list[tuple[int, Source]], store: Store, at: Cursor) -> Iterator[ListingPage]:
    for start in range(0, len(group), PAGE_FILES):
        part = group[start : start + PAGE_FILES]
        found = tuple(ListedObject(source.uri, _local_size(source.uri, store), source) for _, source in part)
        yield ListingPage(found, replace(at, source=part[-1][0] + 1, after=None))


def _listed(index: int, source: Source, store: Store, at: Cursor) -> Iterator[ListingPage]:
    after = at.after if index == at.source else None
    for objects in store.list(source.uri, after=after):
        found = tuple(ListedObject(each.uri, each.size, source, each.is_link) for each in objects)
        yield ListingPage(found, replace(at, source=index, after=objects[-1].uri))
    yield ListingPage((), replace(at, source=index + 1, after=None))


def _local_size(uri: str, store: Store) -> int | None:
    """Asking costs nothing on a local disk, and lets small files share a shard. What is missing fails in its turn."""
    if scheme_of(uri) != FILE_SCHEME:
        return None
    try:
        return store.stat(uri).size
    except StorageError:
        return None
