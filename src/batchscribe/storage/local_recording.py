"""One open file."""

from __future__ import annotations

import os
import stat
from typing import Self

from batchscribe.errors import ObjectChanged, StorageError
from batchscribe.storage.local_errors import told


class FileRecording:
    """An open file. Replacing its directory entry does not disturb it; writing into it raises `ObjectChanged`."""

    def __init__(self, uri: str, file: int) -> None:
        self.uri = uri
        self._file = file
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            self.close()
            raise StorageError(f"{uri} is not a regular file; only those are read.")
        self.size = facts.st_size
        self.etag = etag_of(facts)

    def read(self, offset: int, length: int) -> bytes:
        with told(self.uri):
            data = os.pread(self._file, max(0, min(length, self.size - offset)), offset)
            if etag_of(os.fstat(self._file)) != self.etag:
                raise ObjectChanged(f"{self.uri} was written to while it was being read; run it again.")
        return data

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def etag_of(facts: os.stat_result) -> str:
    """Changes when the file is written to, as the ETag of an object does."""
    return f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
