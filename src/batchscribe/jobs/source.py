"""The sources of a job: single files, and prefixes with filters."""

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
    FILE = "FILE"  #: one object, given by its URI
    PREFIX = "PREFIX"  #: all objects below a folder that pass the filters


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a job. A job sent over HTTP has either one prefix or files; a command-line job may mix them.

    The URI of a prefix ends in `/`.
    """

    kind: SourceKind
    uri: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def path_filter(self) -> PathFilter:
        return path_filter(self.include, self.exclude)

    def path_of(self, uri: str) -> str:
        """Return the path that filters and layout use: decoded and relative to the prefix, or only the file's name."""
        if self.kind is SourceKind.FILE:
            return name_of(uri)
        return path_of(uri).removeprefix(_path_of_prefix(self.uri))


@lru_cache
def _path_of_prefix(uri: str) -> str:
    """Return the path of a prefix, cached because it is needed for each file."""
    return path_of(uri)


def sources_of(job_input: Input) -> tuple[Source, ...]:
    """Return the sources of a request without duplicates.

    A prefix is a folder: `s3://bucket/calls` does not include `calls-2024/`. Raises `InvalidRequest` for invalid globs.
    """
    if job_input.mode is InputMode.PREFIX:
        filters = job_input.filters
        folder = as_folder(job_input.uri)
        source = Source(SourceKind.PREFIX, folder, filters.include_globs, filters.exclude_globs)
        source.path_filter()  # reject invalid globs now rather than when the job runs
        return (source,)
    return tuple(Source(SourceKind.FILE, uri) for uri in dict.fromkeys(job_input.uris))


def named_files(sources: Iterable[Source]) -> frozenset[str]:
    """Return the files that are given individually. No transcript may overwrite them."""
    return frozenset(source.uri for source in sources if source.kind is SourceKind.FILE)
