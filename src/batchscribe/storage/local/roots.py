"""The folders allowed for `file://` URIs (roots), and paths below them, which are opened without following symlinks.

`{tenant}` in a root is replaced with the tenant's name. A root without it is shared by all tenants. That is safe only
with a single tenant: several could read and replace each other's files. A `file://` URI is percent-encoded (RFC 8089);
the key of an `s3://` URI is not, as in AWS tools.
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


def quote_path(path: str) -> str:
    return quote_from_bytes(os.fsencode(path))


def path_of(uri: str) -> str:
    """Return the absolute path of a `file://` URI without a trailing "/". Raises `LocationNotAllowed`."""
    host, slash, rest = uri.partition("://")[2].partition("/")
    path = os.fsdecode(unquote_to_bytes(slash + rest))
    if host not in ("", "localhost") or not path:
        raise LocationNotAllowed(f"{uri} is not a local path; write three slashes, as in file:///data/a.wav.")
    if "\0" in path or ".." in path.split("/"):
        raise LocationNotAllowed(f'{uri} has a ".." or a NUL in its path; use a direct path.')
    return os.path.normpath(path)


#: For opening each folder below a root. `O_NOFOLLOW` rejects symlinks, which obstore's `LocalStore` follows. `O_PATH`
#: does not require the permission to list the folder.
STEP_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class RootedPath:
    """A path under a root: the resolved root, then the names below it."""

    root: str
    parts: tuple[str, ...]

    @property
    def folder(self) -> RootedPath:
        return RootedPath(self.root, self.parts[:-1])

    @property
    def name(self) -> str:
        return self.parts[-1] if self.parts else ""


class Roots:
    """The allowed roots. A URI may use the configured or the resolved path of a root."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        given = [(os.path.normpath(root.absolute()), os.path.realpath(root)) for root in roots]
        self._spellings = [(spelling, resolved) for absolute, resolved in given for spelling in (absolute, resolved)]

    def has(self, uri: str) -> bool:
        """Return whether the path is under a root."""
        try:
            self.place(uri)
        except LocationNotAllowed:
            return False
        return True

    def place(self, uri: str) -> RootedPath:
        """Return the path below its root. Raises `LocationNotAllowed` if it is under no root."""
        path = path_of(uri)
        for spelling, resolved in self._spellings:
            if path == spelling:
                return RootedPath(resolved, ())
            below = spelling.rstrip("/") + "/"
            if path.startswith(below):
                return RootedPath(resolved, tuple(path[len(below) :].split("/")))
        raise LocationNotAllowed(f"{uri} is outside the allowed folders; BATCHSCRIBE_FILE_ROOTS lists them.")


@contextmanager
def open_folder(place: RootedPath, *, create: bool = False) -> Iterator[int]:
    """Open the folder step by step from its root. Yields a descriptor. Raises `OSError` at a symlink."""
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
    with suppress(FileExistsError):  # another thread created it first
        os.mkdir(name, dir_fd=folder)
    return os.open(name, STEP_FLAGS, dir_fd=folder)


PLACEHOLDER = "{tenant}"


def roots_of(roots: Collection[Path], tenant: str) -> tuple[Path, ...]:
    """Return the roots of the tenant. If its name cannot be a folder name, roots with `{tenant}` are omitted."""
    is_folder_name = tenant not in ("", ".", "..") and not set(tenant) & {"/", "\0"}
    return tuple(
        Path(str(root).replace(PLACEHOLDER, tenant)) for root in roots if PLACEHOLDER not in str(root) or is_folder_name
    )


def check_apart(
    named: Collection[tuple[str, str]], roots: Collection[Path], tenant: str, others: Collection[str]
) -> None:
    """Check that no `file://` URI is in a folder that other tenants may use. Raises `InvalidRequest`.

    `named` has pairs of field and URI, `others` the other tenants with API keys.
    """
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
    """Return the tenant's roots, except those nested with a root of another tenant.

    With `/data/{tenant}:/data/archive/{tenant}`, a tenant named `archive` could use the folders of all tenants.
    """
    apart = [root for root in roots if PLACEHOLDER in str(root)]
    taken = [root for other in others for root in roots_of(apart, other)]
    return tuple(own for own in roots_of(apart, tenant) if not any(_is_nested(own, root) for root in taken))


def _is_nested(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _folded(name: str) -> str:
    """Return the same text for names that a file system may treat as equal: other case, or other accent encoding."""
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
