"""What the arguments of `transcribe` mean: files, folders, globs and URIs become sources of one job."""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchscribe.cli.places import read_place
from batchscribe.errors import UsageError
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.wire.choices import InputMode
from batchscribe.wire.locations import place_of
from batchscribe.wire.uris import as_folder, looks_like_a_folder, path_of, scheme_of

GLOB = re.compile(r"[*?\[{]")


@dataclass(frozen=True, slots=True)
class Filters:
    """`--include` says which files of folders and prefixes are meant; `--exclude` takes away, from globs too."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """The sources in the order of the arguments, and the local folders that the job may read."""

    sources: tuple[Source, ...]
    roots: tuple[Path, ...]

    @property
    def echo(self) -> dict[str, Any]:
        """The job's `input` as clients read it. Several arguments read as a manifest."""
        first = self.sources[0]
        place = {"source": place_of(first.uri).value}
        if len(self.sources) > 1:
            return {"mode": InputMode.MANIFEST.value, **place, "manifest": [source.uri for source in self.sources]}
        if first.kind is SourceKind.FILE:
            return {"mode": InputMode.SINGLE.value, **place, "uri": first.uri}
        filters = {"include_globs": list(first.include), "exclude_globs": list(first.exclude)}
        return {"mode": InputMode.PREFIX.value, **place, "uri": first.uri, "filters": filters}


def read_inputs(arguments: Sequence[str], filters: Filters) -> Inputs:
    """The same argument twice is one source.

    Raises `UsageError` for what is not there or cannot be read, and for filters that nothing given goes with.
    """
    read = [_read(argument, filters) for argument in arguments]
    sources = tuple(dict.fromkeys(source for source, _ in read))
    _check_use(filters, sources)
    return Inputs(sources, tuple(dict.fromkeys(root for _, root in read if root is not None)))


def _check_use(filters: Filters, sources: Sequence[Source]) -> None:
    listed = [source for source in sources if source.kind is SourceKind.PREFIX]
    if filters.include and not any(source.include == filters.include for source in listed):
        raise UsageError("--include picks files of a folder or prefix, and none was given.")
    if filters.exclude and not listed:
        raise UsageError("--exclude leaves out files of a folder, prefix or glob, and none was given.")


def _read(argument: str, filters: Filters) -> tuple[Source, Path | None]:
    place = read_place(argument)
    if isinstance(place, Path):
        return _local(place, argument, filters)
    return _on_s3(place, filters), None


def _on_s3(uri: str, filters: Filters) -> Source:
    if scheme_of(uri) != "s3":
        raise UsageError("https:// recordings are for a server: batchscribe jobs submit.")
    if GLOB.search(uri):
        folder, glob = _split_glob(uri)
        if not path_of(uri) or not folder.removeprefix("s3://"):
            raise UsageError(f"{uri}: a bucket has to be named in full; globs are for keys.")
        return Source(SourceKind.PREFIX, folder, (glob,), filters.exclude)
    if looks_like_a_folder(uri):
        return Source(SourceKind.PREFIX, as_folder(uri), filters.include, filters.exclude)
    return Source(SourceKind.FILE, uri)


def _local(path: Path, argument: str, filters: Filters) -> tuple[Source, Path]:
    """The source, and the folder that must be allowed for it. Links on the way are followed: the user named them."""
    mode = _mode(path, argument)
    if mode is None:
        return _local_glob(path, argument, filters)
    resolved = path.resolve()
    if stat.S_ISDIR(mode):
        return Source(SourceKind.PREFIX, as_folder(resolved.as_uri()), filters.include, filters.exclude), resolved
    if stat.S_ISREG(mode):
        return Source(SourceKind.FILE, resolved.as_uri()), resolved.parent
    raise UsageError(f"{argument} is neither a file nor a folder.")


def _local_glob(path: Path, argument: str, filters: Filters) -> tuple[Source, Path]:
    if not GLOB.search(str(path)):
        raise UsageError(f"{argument} does not exist; name a file, a folder, a quoted glob or an s3:// URI.")
    # Not as a `Path`: that drops the "." which makes a folder, and the closing "/" which means all below.
    written = f"{'' if path.is_absolute() else './'}{path}{'/' if argument.endswith('/') else ''}"
    folder, glob = _split_glob(written)
    mode = _mode(Path(folder), argument)
    if mode is None or not stat.S_ISDIR(mode):
        raise UsageError(f"{argument} matches nothing: there is no folder {folder.removeprefix('./')}.")
    resolved = Path(folder).resolve()
    return Source(SourceKind.PREFIX, as_folder(resolved.as_uri()), (glob,), filters.exclude), resolved


def _mode(path: Path, argument: str) -> int | None:
    """None for what does not exist."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{argument} cannot be read: {error.strerror}.") from error


def _split_glob(place: str) -> tuple[str, str]:
    """`calls/2026/*.wav` as the folder `calls/2026/` and the glob `/*.wav`, which is tied to it and goes no deeper."""
    first = GLOB.search(place)
    end = place.rfind("/", 0, first.start() if first else None) + 1
    return place[:end], f"/{place[end:]}"
