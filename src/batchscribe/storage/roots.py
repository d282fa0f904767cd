"""The folders that `file://` may name, and the way from one of them down to an object, never through a symlink."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from batchscribe.errors import LocationNotAllowed
from batchscribe.storage.uris import path_of

#: Every step below a root is taken so. `O_NOFOLLOW` is what obstore's `LocalStore` lacks: it reads through links.
#: `O_PATH` needs no right to list the folder.
STEP_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Place:
    """A path under a root: the root itself without symlinks, then the names below it."""

    root: str
    parts: tuple[str, ...]

    @property
    def folder(self) -> Place:
        return Place(self.root, self.parts[:-1])

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

    def place(self, uri: str) -> Place:
        """Raises `LocationNotAllowed` when the path is under no root."""
        path = path_of(uri)
        for spelling, resolved in self._spellings:
            if path == spelling:
                return Place(resolved, ())
            below = spelling.rstrip("/") + "/"
            if path.startswith(below):
                return Place(resolved, tuple(path[len(below) :].split("/")))
        raise LocationNotAllowed(f"{uri} is outside the allowed folders; BATCHSCRIBE_FILE_ROOTS names them.")


@contextmanager
def opened_folder(place: Place, *, create: bool = False) -> Iterator[int]:
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
