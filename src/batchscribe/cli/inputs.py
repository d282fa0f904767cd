"""What arguments name: INPUTs as sources of a job, `--output` as a URI, the text of `--manifest` and `--request`."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticCustomError

from batchscribe.cli.present.console import format_text, local_path
from batchscribe.errors import UsageError
from batchscribe.jobs.source import Source, SourceKind
from batchscribe.wire.base import JsonObject
from batchscribe.wire.locations import validate_uri
from batchscribe.wire.uris import FILE_SCHEME, as_folder, looks_like_a_folder, path_of, scheme_of, without_query

GLOB = re.compile(r"[*?\[{]")
UNDECODED = re.compile("[\ud800-\udfff]")  #: how Python represents bytes of an argument that are not text
STANDARD_INPUT = "-"
UTF_8 = "utf-8-sig"  #: Windows starts a text with a byte order mark
LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class GlobOptions:
    """`--include` selects files of folders and prefixes; `--exclude` removes files from those and from globs."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def read_inputs(arguments: Iterable[str], globs: GlobOptions, *, on_server: bool) -> tuple[Source, ...]:
    """The sources in the order of the arguments; the same one twice is one source.

    A path is of this machine. With `on_server` a `file://` URI is of the server's, and `https://` is allowed. Raises
    `UsageError` for what does not exist or cannot be read, and for globs that apply to nothing.
    """
    sources = tuple(dict.fromkeys(_read_input(argument, globs, on_server=on_server) for argument in arguments))
    listed = [source for source in sources if source.kind is SourceKind.PREFIX]
    if globs.include and not any(source.include == globs.include for source in listed):
        raise UsageError("--include selects files in folders and prefixes, and none was given.")
    if globs.exclude and not listed:
        raise UsageError("--exclude excludes files from folders, prefixes and globs, and none was given.")
    return sources


def _read_input(argument: str, globs: GlobOptions, *, on_server: bool) -> Source:
    if not scheme_of(argument):
        return _read_path(_parse_path(argument), argument, globs)
    uri = _check_uri(argument)
    match scheme_of(uri):
        case "s3":
            return _read_s3(uri, globs)
        case "https" if not on_server:
            raise UsageError("https:// recordings are for a server: batchscribe jobs submit.")
        case "https":
            return Source(SourceKind.FILE, uri)
    return _read_server_path(uri, globs) if on_server else _read_path(local_path(uri), argument, globs)


def _read_s3(uri: str, globs: GlobOptions) -> Source:
    if not GLOB.search(uri):
        return _read_by_name(uri, globs)
    folder, glob = _split_glob(uri)
    if not path_of(uri) or not folder.removeprefix("s3://"):
        raise UsageError(f"{uri}: name the bucket in full; globs apply only to keys.")
    return Source(SourceKind.PREFIX, folder, (glob,), globs.exclude)


def _read_server_path(uri: str, globs: GlobOptions) -> Source:
    """What exists on this machine too is read from there; else the name decides, as it does for the server."""
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
    """Symbolic links in the path are followed: the user named them."""
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
    # Not as a `Path`: that drops the "." which makes a folder, and the closing "/" which means all below.
    written = f"{'' if path.is_absolute() else './'}{path}{'/' if argument.endswith('/') else ''}"
    folder, glob = _split_glob(written)
    mode = _find_mode(Path(folder), argument)
    if mode is None or not stat.S_ISDIR(mode):
        raise UsageError(f"{argument} matches nothing: there is no folder {folder.removeprefix('./')}.")
    return Source(SourceKind.PREFIX, as_folder(Path(folder).resolve().as_uri()), (glob,), globs.exclude)


def _find_mode(path: Path, argument: str) -> int | None:
    """None for what does not exist."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{argument} cannot be read: {error.strerror}.") from error


def _split_glob(place: str) -> tuple[str, str]:
    """`calls/2026/*.wav` as the folder `calls/2026/` and the glob `/*.wav`: anchored to it, and no deeper."""
    first = GLOB.search(place)
    end = place.rfind("/", 0, first.start() if first else None) + 1
    return place[:end], f"/{place[end:]}"


def read_manifest(name: str) -> tuple[str, ...]:
    """The URIs of the files in a manifest. Raises `UsageError`."""
    return tuple(_read_manifest_line(line) for line in read_lines(name))


def _read_manifest_line(line: str) -> str:
    if scheme_of(line):
        return _check_uri(line)
    path = _parse_path(line)
    if _find_mode(path, line) is None:
        raise UsageError(f"{line} does not exist; a manifest names files and URIs.")
    if path.is_dir():
        raise UsageError(f"{line} is a folder; a manifest names files.")
    return path.resolve().as_uri()


def read_output(argument: str, *, on_server: bool) -> str:
    """The URI of `--output`, with a closing `/` if it is a folder that exists. Raises `UsageError`."""
    uri = _check_uri(argument) if scheme_of(argument) else _parse_path(argument).resolve().as_uri()
    if scheme_of(uri) != FILE_SCHEME:
        return uri
    path = local_path(uri)
    is_folder = argument.endswith("/") or os.path.isdir(path)  # noqa: PTH112 - never raises
    uri = uri if on_server else path.resolve().as_uri()
    return as_folder(uri) if is_folder else uri


def _parse_path(argument: str) -> Path:
    if not argument:  # an unset variable of the shell; as a path it would be the current folder
        raise UsageError("An empty name was given; name a file, a folder or a URI.")
    return Path(os.path.expanduser(argument))  # noqa: PTH111 - pathlib raises for an unknown user's home


def _check_uri(argument: str) -> str:
    try:
        uri = validate_uri(argument)
    except PydanticCustomError as error:
        raise UsageError(f"{format_text(without_query(argument))}: {error.message()}") from None
    if UNDECODED.search(uri):
        raise UsageError(f"{format_text(without_query(uri))}: a URI is text in UTF-8.")
    return uri


def read_lines(name: str) -> Sequence[str]:
    """The lines of a file, or of standard input for `-`, trimmed; without blank ones and comments (`#`).

    Not with `str.splitlines`, which also splits at characters that names may have, such as U+2028. Raises `UsageError`.
    """
    lines = (line.strip(" \t") for line in LINE_END.split(_read_text(name)))
    return tuple(line for line in lines if line and not line.startswith("#"))


def read_json_object(name: str) -> JsonObject:
    """Raises `UsageError`, which never shows the text: it may hold credentials."""
    try:
        body = json.loads(_read_text(name))
    except json.JSONDecodeError as error:
        raise UsageError(f"{_format_name(name)} is not JSON: {error.msg} in line {error.lineno}.") from None
    except (RecursionError, ValueError):  # of its nesting, or a number with thousands of digits
        raise UsageError(f"{_format_name(name)} is not a job: it is nested too deeply, or has a huge number.") from None
    if not isinstance(body, dict):
        raise UsageError(f"{_format_name(name)} is not a JSON object; a job is one, from {{ to }}.")
    return body


def _read_text(name: str) -> str:
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read().decode(UTF_8)
        return _parse_path(name).read_bytes().decode(UTF_8)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise UsageError(f"{_format_name(name)} is not text in UTF-8.") from None


def _format_name(name: str) -> str:
    return "Standard input" if name == STANDARD_INPUT else name
