"""What is new in a watched folder or bucket: recordings that have settled and whose content is unknown."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import typer

from batchscribe.database.watched_rows import WatchedRecording
from batchscribe.errors import StorageError
from batchscribe.jobs.media_names import is_macos_metadata, is_supported
from batchscribe.jobs.source import Source
from batchscribe.storage.store import ObjectInfo, Store
from batchscribe.wire.uris import FILE_SCHEME, scheme_of

READ_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class ExaminedRecording:
    """A recording to store: to be transcribed if its content is new, else another copy of it."""

    recording: WatchedRecording
    is_new: bool


class SettledRecordings:
    """The recordings of a source. It remembers since when each has been unchanged."""

    def __init__(self, source: Source, store: Store, *, settle_sec: float, input_formats: tuple[str, ...]) -> None:
        self._source = source
        self._store = store
        self._settle_sec = settle_sec
        self._input_formats = input_formats
        self._since: dict[tuple[str, str], float] = {}

    def find(self) -> list[ObjectInfo]:
        """List the source and return the recordings that have settled. Raises `StorageError`."""
        now = time.monotonic()
        found = [each for page in self._store.list(self._source.uri) for each in page if self._is_recording(each)]
        keys = [(each.uri, version_of(each)) for each in found]
        self._since = {key: self._since.get(key, now) for key in keys}
        return [each for each, key in zip(found, keys, strict=True) if now - self._since[key] >= self._settle_sec]

    def examine(self, found: list[ObjectInfo], known: Mapping[str, WatchedRecording]) -> Iterator[ExaminedRecording]:
        """Yield what is to be stored. A second copy of a content that is new waits until the first is done."""
        contents = {each.content for each in known.values()}
        taken: set[str] = set()
        for each in found:
            before, version = known.get(each.uri), version_of(each)
            if before is not None and before.version == version:
                continue
            content = self._read_content(each)
            if content is None or content in taken:
                continue
            is_same = before is not None and before.content == content
            job_id = before.job_id if before is not None and is_same else None
            is_new = content not in contents
            if is_new:
                taken.add(content)
            yield ExaminedRecording(WatchedRecording(each.uri, version, content, job_id, before is not None), is_new)

    def _is_recording(self, found: ObjectInfo) -> bool:
        path = self._source.path_of(found.uri)
        return (
            is_supported(found.uri, self._input_formats)
            and not found.is_link
            and not is_macos_metadata(path)
            and self._source.path_filter().admits(path)
        )

    def _read_content(self, found: ObjectInfo) -> str | None:
        """Return what identifies the content: for files a hash, for objects size and ETag. None if unreadable."""
        if scheme_of(found.uri) != FILE_SCHEME:
            return version_of(found)
        digest = hashlib.sha256()
        try:
            with self._store.open(found.uri) as recording:
                for offset in range(0, recording.size, READ_BYTES):
                    digest.update(recording.read(offset, READ_BYTES))
        except StorageError as error:
            typer.echo(f"Warning: {error.message} The file is looked at again in the next round.", err=True)
            return None
        return digest.hexdigest()


def version_of(found: ObjectInfo) -> str:
    return f"{found.size} {found.etag}"
