"""The folders that `file://` URIs may name, and the path from there to an object, never through a symlink.

`{tenant}` in a root of the settings stands for the tenant's name. A root without it is shared by all tenants, which is
right for a single tenant only: otherwise tenants could read and replace each other's files. A `file://` URI is
percent-encoded (RFC 8089); the key of an `s3://` URI is raw, as AWS tools write it.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from batchscribe.errors import InvalidRequest, LocationNotAllowed, Mistake
from batchscribe.wire.mistakes import MOST_MISTAKES
from batchscribe.wire.uris import FILE_SCHEME, scheme_of


def file_uri(path: str) -> str:
    """The same spelling as `Path.as_uri()`; bytes that are no UTF-8 survive. `path` is absolute."""
    return "file://" + quote_path(path)


def quote_path(path: str) -> str:
    return quote_from_bytes(os.fsencode(path))


def path_of(uri: str) -> str:
    """The absolute path behind a `file://` URI, a closing "/" dropped. Raises `LocationNotAllowed`."""
    host, slash, rest = uri.partition("://")[2].partition("/")
    path = os.fsdecode(unquote_to_bytes(slash + rest))
    if host not in ("", "localhost") or not path:
        raise LocationNotAllowed(f"{uri} names no local path; write three slashes, as in file:///data/a.wav.")
    if "\0" in path or ".." in path.split("/"):
        raise LocationNotAllowed(f'{uri} has a ".." or a NUL in its path; name the place itself.')
    return os.path.normpath(path)


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; the key may be empty. Raises `LocationNotAllowed` without a bucket."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    if not bucket:
        raise LocationNotAllowed(f"{uri} names no bucket; write s3://bucket/key.")
    return bucket, key


#: Every step below a root is taken so. `O_NOFOLLOW` is what obstore's `LocalStore` lacks: it reads through links.
#: `O_PATH` needs no right to list the folder.
STEP_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class RootedPath:
    """A path under a root: the root itself without symlinks, then the names below it."""

    root: str
    parts: tuple[str, ...]

    @property
    def folder(self) -> RootedPath:
        return RootedPath(self.root, self.parts[:-1])

    @property
    def name(self) -> str:
        return self.parts[-1] if self.parts else ""


class Roots:
    """Resolves each root once; a URI may spell it as it was given or as it resolved."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        given = [(os.path.normpath(root.absolute()), os.path.realpath(root)) for root in roots]
        self._spellings = [(spelling, resolved) for absolute, resolved in given for spelling in (absolute, resolved)]

    def has(self, uri: str) -> bool:
        """Whether the path is under one of them."""
        try:
            self.place(uri)
        except LocationNotAllowed:
            return False
        return True

    def place(self, uri: str) -> RootedPath:
        """Raises `LocationNotAllowed` when the path is under no root."""
        path = path_of(uri)
        for spelling, resolved in self._spellings:
            if path == spelling:
                return RootedPath(resolved, ())
            below = spelling.rstrip("/") + "/"
            if path.startswith(below):
                return RootedPath(resolved, tuple(path[len(below) :].split("/")))
        raise LocationNotAllowed(f"{uri} is outside the allowed folders; BATCHSCRIBE_FILE_ROOTS names them.")


@contextmanager
def open_folder(place: RootedPath, *, create: bool = False) -> Iterator[int]:
    """A descriptor of the folder, reached step by step from its root. Raises `OSError` at a symlink."""
    folder = os.open(place.root, STEP_FLAGS)
    try:
        for name in place.parts:
            deeper = _step(folder, name, create=create)
            os.close(folder)
            folder = deeper
        yield folder
    finally:
        os.close(folder)


def _step(folder: int, name: str, *, create: bool) -> int:
    try:
        return os.open(name, STEP_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):  # another thread was faster
        os.mkdir(name, dir_fd=folder)
    return os.open(name, STEP_FLAGS, dir_fd=folder)


PLACEHOLDER = "{tenant}"


def roots_of(roots: Collection[Path], tenant: str) -> tuple[Path, ...]:
    """All that the settings allow the tenant. Who has a name that is none of a folder gets no folder by it."""
    is_folder_name = tenant not in ("", ".", "..") and not set(tenant) & {"/", "\0"}
    return tuple(
        Path(str(root).replace(PLACEHOLDER, tenant)) for root in roots if PLACEHOLDER not in str(root) or is_folder_name
    )


def check_apart(
    named: Collection[tuple[str, str]], roots: Collection[Path], tenant: str, others: Collection[str]
) -> None:
    """`named` are fields and their URIs, `others` the other tenants with keys. Raises `InvalidRequest`."""
    if not others:
        return
    shares_name = any(_folded(other) == _folded(tenant) for other in others)
    places = Roots(() if shares_name else _own_roots(roots, tenant, others))
    mistakes = tuple(
        Mistake(field, f"{field}: {_why(tenant, shares_name=shares_name)}")
        for field, uri in named
        if scheme_of(uri) == FILE_SCHEME and not places.has(uri)
    )
    if mistakes:
        raise InvalidRequest(mistakes[0].message, field=mistakes[0].field, mistakes=mistakes[:MOST_MISTAKES])


def _own_roots(roots: Collection[Path], tenant: str, others: Collection[str]) -> tuple[Path, ...]:
    """Without those that lie in another tenant's folder or contain it.

    With `/data/{tenant}:/data/archive/{tenant}` a tenant named `archive` would have everybody's.
    """
    apart = [root for root in roots if PLACEHOLDER in str(root)]
    taken = [root for other in others for root in roots_of(apart, other)]
    return tuple(own for own in roots_of(apart, tenant) if not any(_is_nested(own, root) for root in taken))


def _is_nested(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _folded(name: str) -> str:
    """The same for names that some file system takes for one: in upper case, or with accents of their own."""
    return unicodedata.normalize("NFKC", name).casefold()


def _why(tenant: str, *, shares_name: bool) -> str:
    if shares_name:
        return (
            f"Another tenant's name differs from {tenant} only in upper and lower case or in how accents are written, "
            "so neither may use file:// URIs; ask the operator to rename one."
        )
    return (
        "The URI is outside the folders of this tenant. As several tenants have keys, the operator must put "
        "{tenant} into each folder of BATCHSCRIBE_FILE_ROOTS, so that no tenant's folder contains another's."
    )
