"""`file://`: files under the allowed roots. Symlinks below a root are never followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from batchscribe.errors import ObjectNotFound, StorageError
from batchscribe.storage.local.local_recording import FileRecording, translate_os_errors
from batchscribe.storage.local.local_walk import walk
from batchscribe.storage.local.local_write import write_file
from batchscribe.storage.local.roots import RootedPath, Roots, open_folder
from batchscribe.storage.store import ObjectInfo, Page

#: With `O_NONBLOCK`, opening a pipe does not wait for its writer.
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileStore:
    """A store for local files. obstore's `LocalStore` follows symlinks, and a symlink loop stops its listings."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self._roots = Roots(roots)

    def stat(self, uri: str) -> ObjectInfo:
        with self.open(uri) as recording:
            return ObjectInfo(uri, recording.size, recording.etag)

    def open(self, uri: str) -> FileRecording:
        place = self._object_place(uri)
        with translate_os_errors(uri), open_folder(place.folder) as folder:
            file = os.open(place.name, FILE_FLAGS, dir_fd=folder)
        return FileRecording(uri, file)

    def list(self, prefix_uri: str, *, after: str | None = None) -> Iterator[Page]:
        """List files in the order of their path components. Files deleted during the listing are omitted."""
        folder = self._roots.place(prefix_uri)
        seen = self._roots.place(after).parts[len(folder.parts) :] if after else ()
        return walk(prefix_uri.rstrip("/"), folder, seen)

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        with self.open(uri) as recording:
            if recording.size > limit_bytes:
                raise StorageError(f"{uri} is larger than {limit_bytes} bytes.")
            return recording.read(0, recording.size)

    def write(self, uri: str, data: bytes, *, overwrite: bool, content_type: str = "application/json") -> None:
        """Write a file and create missing folders. A crash leaves at most a hidden file, which listings omit."""
        place = self._object_place(uri)
        with translate_os_errors(uri), open_folder(place.folder, create=True) as folder:
            write_file(folder, place.name, data, overwrite=overwrite)

    def check_write(self, beside: str) -> None:
        """Do nothing: writing without `overwrite` always works. Other errors occur at the first file."""

    def _object_place(self, uri: str) -> RootedPath:
        place = self._roots.place(uri)
        if uri.endswith("/") or not place.parts:
            raise ObjectNotFound(f"{uri} is a folder; name a file in it.")
        return place
