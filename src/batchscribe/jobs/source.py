"""What a job reads from: single files, and folders with filters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from batchscribe.jobs.globs import PathFilter, path_filter
from batchscribe.wire.choices import InputMode
from batchscribe.wire.input import Input
from batchscribe.wire.uris import as_folder, name_of, path_of


class SourceKind(StrEnum):
    FILE = "FILE"  #: one object, named by its URI
    PREFIX = "PREFIX"  #: every object below a folder that passes the filters


@dataclass(frozen=True, slots=True)
class Source:
    """One place of a job. A job of the wire has one prefix or files only; the command line mixes them freely.

    The URI of a prefix ends in `/`.
    """

    kind: SourceKind
    uri: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def path_filter(self) -> PathFilter:
        return path_filter(self.include, self.exclude)

    def path_of(self, uri: str) -> str:
        """What the filters and the layout see of a file: its decoded path below the prefix, or its name alone."""
        if self.kind is SourceKind.FILE:
            return name_of(uri)
        return path_of(uri).removeprefix(_path_of_prefix(self.uri))


@lru_cache
def _path_of_prefix(uri: str) -> str:
    """The same for each of a million files."""
    return path_of(uri)


def sources_of(job_input: Input) -> tuple[Source, ...]:
    """The sources of a request, each once. A prefix is a folder: `s3://bucket/calls` does not reach into `calls-2024/`.

    Raises `InvalidRequest` for globs that cannot be used.
    """
    if job_input.mode is InputMode.PREFIX:
        filters = job_input.filters
        folder = as_folder(job_input.uri)
        source = Source(SourceKind.PREFIX, folder, filters.include_globs, filters.exclude_globs)
        source.path_filter()  # refused now rather than when the job runs
        return (source,)
    return tuple(Source(SourceKind.FILE, uri) for uri in dict.fromkeys(job_input.uris))


def named_files(sources: Iterable[Source]) -> frozenset[str]:
    """The files that the sources name one by one: no transcript may be written over them."""
    return frozenset(source.uri for source in sources if source.kind is SourceKind.FILE)
