"""Conversion of arguments: INPUTs to sources, `--output` to a URI, and the files of `--manifest` and `--request`."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticCustomError

from batchscribe.cli.present.console import format_text, local_path
from batchscribe.cli.text_files import parse_path, read_lines
from batchscribe.errors import UsageError
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.wire.choices import CLOUDS, PLACE_OF_SCHEME
from batchscribe.wire.locations import validate_uri
from batchscribe.wire.uris import FILE_SCHEME, as_folder, looks_like_a_folder, path_of, scheme_of, without_query

GLOB = re.compile(r"[*?\[{]")
UNDECODED = re.compile("[\ud800-\udfff]")  #: how Python represents bytes of an argument that are not text
CLOUD_SCHEMES = frozenset(scheme for scheme, place in PLACE_OF_SCHEME.items() if place in CLOUDS)


@dataclass(frozen=True, slots=True)
class GlobOptions:
    """The globs of `--include`, for folders and prefixes, and of `--exclude`, also for INPUTs that are globs."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def read_inputs(arguments: Iterable[str], globs: GlobOptions, *, on_server: bool) -> tuple[Source, ...]:
    """Return the sources in the order of the arguments, without duplicates.

    Paths are on this machine. With `on_server`, a `file://` URI is on the server, and `https://` is allowed. Raises
    `UsageError` if an input does not exist or cannot be read, and if a glob option applies to no input.
    """
    sources = tuple(dict.fromkeys(_read_input(argument, globs, on_server=on_server) for argument in arguments))
    listed = [source for source in sources if source.kind is SourceKind.PREFIX]
    if globs.include and not any(source.include == globs.include for source in listed):
        raise UsageError("--include selects files in folders and prefixes, but no folder or prefix was given.")
    if globs.exclude and not listed:
        raise UsageError("--exclude excludes files from folders, prefixes and globs, but none of these was given.")
    return sources


def _read_input(argument: str, globs: GlobOptions, *, on_server: bool) -> Source:
    if not scheme_of(argument):
        return _read_path(parse_path(argument), argument, globs)
    uri = _check_uri(argument)
    match scheme_of(uri):
        case scheme if scheme in CLOUD_SCHEMES:
            return _read_bucket(uri, globs)
        case "https" if not on_server:
            raise UsageError("https:// recordings require a server; use `batchscribe jobs submit`.")
        case "https":
            return Source(SourceKind.FILE, uri)
    return _read_server_path(uri, globs) if on_server else _read_path(local_path(uri), argument, globs)


def _read_bucket(uri: str, globs: GlobOptions) -> Source:
    if not GLOB.search(uri):
        return _read_by_name(uri, globs)
    folder, glob = _split_glob(uri)
    if not path_of(uri) or not folder.partition("://")[2]:
        raise UsageError(f"{uri}: name the bucket in full; globs apply only to keys.")
    return Source(SourceKind.PREFIX, folder, (glob,), globs.exclude)


def _read_server_path(uri: str, globs: GlobOptions) -> Source:
    """Inspect the path if it also exists on this machine; otherwise its name decides, as on the server."""
    path = str(local_path(uri))
    if os.path.isdir(path):  # noqa: PTH112 - never raises
        return Source(SourceKind.PREFIX, as_folder(uri), globs.include, globs.exclude)
    if os.path.isfile(path):  # noqa: PTH113 - never raises
        return Source(SourceKind.FILE, uri)
    if not GLOB.search(path):
        return _read_by_name(uri, globs)
    folder, glob = _split_glob(f"{path}/" if uri.endswith("/") else path)
    return Source(SourceKind.PREFIX, as_folder(Path(folder).as_uri()), (glob,), globs.exclude)


def _read_by_name(uri: str, globs: GlobOptions) -> Source:
    if looks_like_a_folder(uri):
        return Source(SourceKind.PREFIX, as_folder(uri), globs.include, globs.exclude)
    return Source(SourceKind.FILE, uri)


def _read_path(path: Path, argument: str, globs: GlobOptions) -> Source:
    """Inspect a local path. Symbolic links in it are followed, because the user named them."""
    mode = _find_mode(path, argument)
    if mode is None:
        return _read_local_glob(path, argument, globs)
    uri = path.resolve().as_uri()
    if stat.S_ISDIR(mode):
        return Source(SourceKind.PREFIX, as_folder(uri), globs.include, globs.exclude)
    if stat.S_ISREG(mode):
        return Source(SourceKind.FILE, uri)
    raise UsageError(f"{argument} is neither a file nor a folder.")


def _read_local_glob(path: Path, argument: str, globs: GlobOptions) -> Source:
    if not GLOB.search(str(path)):
        raise UsageError(f"{argument} does not exist; name a file, a folder, a quoted glob or a URI.")
    # A `Path` would drop the "." that names a folder, and the trailing "/" that means everything below.
    written = f"{'' if path.is_absolute() else './'}{path}{'/' if argument.endswith('/') else ''}"
    folder, glob = _split_glob(written)
    mode = _find_mode(Path(folder), argument)
    if mode is None or not stat.S_ISDIR(mode):
        raise UsageError(f"{argument} matches nothing: there is no folder {folder.removeprefix('./')}.")
    return Source(SourceKind.PREFIX, as_folder(Path(folder).resolve().as_uri()), (glob,), globs.exclude)


def _find_mode(path: Path, argument: str) -> int | None:
    """Return the mode of a path; None if it does not exist."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{argument} cannot be read: {error.strerror}.") from error


def _split_glob(place: str) -> tuple[str, str]:
    """Split `calls/2026/*.wav` into the folder `calls/2026/` and the glob `/*.wav`, which excludes deeper folders."""
    first = GLOB.search(place)
    end = place.rfind("/", 0, first.start() if first else None) + 1
    return place[:end], f"/{place[end:]}"


def read_manifest(name: str) -> tuple[str, ...]:
    """Return the URIs in a manifest. Raises `UsageError`."""
    return tuple(_read_manifest_line(line) for line in read_lines(name))


def _read_manifest_line(line: str) -> str:
    if scheme_of(line):
        return _check_uri(line)
    path = parse_path(line)
    if _find_mode(path, line) is None:
        raise UsageError(f"{line} does not exist; a manifest names files and URIs.")
    if path.is_dir():
        raise UsageError(f"{line} is a folder; a manifest names files.")
    return path.resolve().as_uri()


def read_output(argument: str, *, on_server: bool) -> str:
    """Return the URI of `--output`, with a trailing `/` if it is an existing folder. Raises `UsageError`."""
    uri = _check_uri(argument) if scheme_of(argument) else parse_path(argument).resolve().as_uri()
    if scheme_of(uri) != FILE_SCHEME:
        return uri
    path = local_path(uri)
    is_folder = argument.endswith("/") or os.path.isdir(path)  # noqa: PTH112 - never raises
    uri = uri if on_server else path.resolve().as_uri()
    return as_folder(uri) if is_folder else uri


def _check_uri(argument: str) -> str:
    try:
        uri = validate_uri(argument)
    except PydanticCustomError as error:
        raise UsageError(f"{format_text(without_query(argument))}: {error.message()}") from None
    if UNDECODED.search(uri):
        raise UsageError(f"{format_text(without_query(uri))}: a URI must be UTF-8 text.")
    return uri
