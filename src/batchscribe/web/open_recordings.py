"""Recordings that are being played. A browser asks for one part after another, so they stay open in between.

An open recording is pinned to its version. For one in a bucket or on the web, only the first block and the connection
are kept; a local file is opened for each part, because a kept descriptor could be closed while another thread reads.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.sniff import check_format
from batchscribe.errors import NotARecording, ObjectChanged, UnsupportedMedia
from batchscribe.input_formats import ALL_NAMES
from batchscribe.storage.access import Credentials
from batchscribe.storage.ranged_recording import RangedRecording
from batchscribe.storage.store import Recording
from batchscribe.web.recording_version import version_tag

MOST_OPEN = 32  #: each has a first block of 1 MiB
IDLE_SEC = 60.0
#: By the formats of `check_format`. The type follows from the bytes, because names and headers of storage may be wrong.
MEDIA_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "webm": "audio/webm",
    "aac": "audio/aac",
}


@dataclass(frozen=True, slots=True)
class SourceKey:
    """A file, and the credentials that its recording is read with. With other credentials, it is opened again."""

    job_number: int
    seq: int
    credentials: Credentials | None


@dataclass(frozen=True, slots=True)
class PlayedRecording:
    """An open recording. `version` is None if its storage gives it no ETag."""

    source: Recording
    media_type: str
    version: str | None

    @classmethod
    def of(cls, source: Recording) -> PlayedRecording:
        """Look at the bytes. Raises `NotARecording`."""
        try:
            found, _ = check_format(RemoteFile(source.size, source.read), ALL_NAMES)
        except UnsupportedMedia:
            raise NotARecording(
                "This file is not a recording, so it cannot be played; check what replaced it."
            ) from None
        return cls(source, MEDIA_TYPES[found], version_tag(source.etag, source.size))


class OpenRecordings:
    """The recordings that were played a moment ago. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[SourceKey, tuple[PlayedRecording, float]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, key: SourceKey, open_source: Callable[[], Recording]) -> Iterator[PlayedRecording]:
        """Hold a recording for one part. Raises `NotARecording`, and what `open_source` raises.

        If reading finds that the recording has changed, the next part is read from its new version.
        """
        played = self._find(key)
        if played is None:
            source = open_source()
            if not isinstance(source, RangedRecording):
                with source:
                    yield PlayedRecording.of(source)
                return
            played = PlayedRecording.of(source)
        try:
            yield played
        except ObjectChanged:
            self._drop(key)
            raise
        self._keep(key, played)

    def _find(self, key: SourceKey) -> PlayedRecording | None:
        with self._lock:
            self._drop_idle()
            found = self._kept.get(key)
        return found and found[0]

    def _keep(self, key: SourceKey, played: PlayedRecording) -> None:
        with self._lock:
            self._kept[key] = played, self._clock()
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_OPEN:
                self._kept.popitem(last=False)

    def _drop(self, key: SourceKey) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def _drop_idle(self) -> None:
        while self._kept and self._clock() - next(iter(self._kept.values()))[1] > IDLE_SEC:
            self._kept.popitem(last=False)
