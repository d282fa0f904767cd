"""The checkpoint of a long recording: its recognized windows, stored so that the next attempt does not repeat them.

A checkpoint contains words and times, no sound. It is stored in parts, as windows are recognized, and deleted with the
outcome of its file. The next attempt decodes the recording from the start, because only then does it get the same
windows. Those in the checkpoint do not go to an engine again, and the voice detector skips what is before a position of
the decoder that is stored with them.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from batchscribe.audio.decoder import Position
from batchscribe.errors import WorkInterrupted
from batchscribe.speech.language_vote import speech_sec
from batchscribe.window import Recognition, Window

#: A part is stored when at least this many seconds of the recording are recognized and not stored. Shorter recordings
#: have no checkpoint.
LEAST_SEC = 60.0
#: On a fast engine, parts are stored at most every second, unless this many seconds of the recording are not stored.
MOST_SEC = 240.0
PAUSE_SEC = 1.0
RETRY_SEC = 5.0  #: after a part could not be stored
#: Smaller recordings have no checkpoint: `LEAST_SEC` with 4 kbit/s, less than any codec for speech.
LEAST_BYTES = 30_000


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """A recognized window. `index` counts the windows of the recording from 0."""

    index: int
    channel: int
    start_sec: float
    duration_sec: float
    speech_sec: float
    recognition: Recognition

    @property
    def end_sec(self) -> float:
        return self.start_sec + self.duration_sec

    def is_of(self, window: Window) -> bool:
        mine = self.channel, self.start_sec, self.duration_sec
        return mine == (window.channel, window.start_sec, window.duration_sec)


@dataclass(frozen=True, slots=True)
class StoredWindows:
    """The content of a part. `language` is the tag that the recording's vote chose, if there was one."""

    language: str | None
    windows: tuple[StoredWindow, ...]
    position: Position | None  #: of the decoder, when the part was stored

    def pack(self) -> bytes:
        return zlib.compress(_FORM.dump_json(self))

    @classmethod
    def unpack(cls, content: bytes) -> StoredWindows | None:
        """Return the content of a part; None if it is invalid."""
        try:
            return _FORM.validate_json(zlib.decompress(content))
        except (zlib.error, ValidationError):
            return None


_FORM: TypeAdapter[StoredWindows] = TypeAdapter(StoredWindows)


class PartStore(Protocol):
    """Where the parts of one file are stored."""

    def read(self) -> Iterable[bytes]:
        """Return the content of the parts of earlier attempts at the same recording, in order."""
        ...

    def write(self, content: bytes, n_known: int) -> bool | None:
        """Store a part. Returns None if that is impossible now, and False if the attempt is no longer wanted.

        `n_known` is the number of windows from the start that are stored without a gap, with this part.
        """
        ...


class NoStore:
    """A store for recordings that are too short for a checkpoint."""

    def read(self) -> Iterable[bytes]:
        return ()

    def write(self, content: bytes, n_known: int) -> bool | None:
        return None


@dataclass(slots=True)
class Checkpoint:
    """The recognized windows of one recording: those of earlier attempts, and those not stored yet."""

    store: PartStore = field(default_factory=NoStore)
    clock: Callable[[], float] = time.monotonic
    language: str | None = None  #: the tag that the vote of the recording's first windows chose
    #: The latest position of the decoder. Initially the one to continue at: all windows before it are stored.
    position: Position | None = None
    _known: dict[int, StoredWindow] = field(default_factory=dict)
    _new: list[StoredWindow] = field(default_factory=list)
    _new_sec: float = 0.0  #: the sum of the windows in `_new`
    _reached_sec: float = 0.0  #: the end of the latest window in a stored part
    _wrote_at: float = 0.0
    _retry_at: float = 0.0
    _stored: set[int] = field(default_factory=set)  #: indexes of the stored windows from `_n_known` on
    _n_known: int = 0  #: windows from the start that are stored without a gap
    _has_progressed: bool = False  #: whether `_n_known` has grown in this attempt, or it is the first one

    def __post_init__(self) -> None:
        parts = [part for content in self.store.read() if (part := StoredWindows.unpack(content))]
        for part in parts:
            self.language = part.language
            self._known.update((each.index, each) for each in part.windows)
        self._reached_sec = max((each.end_sec for each in self._known.values()), default=0.0)
        self._stored = set(self._known)
        self._n_known = self._count_known()
        positions = [part.position for part in parts if part.position and part.position.n_windows <= self._n_known]
        self.position = max(positions, key=lambda position: position.n_windows, default=None)
        self._has_progressed = not parts

    @property
    def n_left(self) -> int:
        """The number of windows of earlier attempts that were not taken yet."""
        return len(self._known)

    def take_before(self, n_windows: int) -> Iterator[StoredWindow]:
        """Yield the first windows, once."""
        return (self._known.pop(index) for index in range(n_windows))

    def find(self, index: int, window: Window) -> Recognition | None:
        """Return what an earlier attempt recognized in this window, once."""
        found = self._known.pop(index, None)
        return found.recognition if found is not None and found.is_of(window) else None

    def add(self, index: int, window: Window, recognition: Recognition) -> None:
        """Add a recognized window, in any order."""
        self._new.append(
            StoredWindow(index, window.channel, window.start_sec, window.duration_sec, speech_sec(window), recognition)
        )
        self._new_sec += window.duration_sec

    def save_if_due(self) -> None:
        """Store the new windows if they are worth it. Raises `WorkInterrupted` if the attempt is no longer wanted."""
        if self._new and self._is_due() and self._save() is False:
            raise WorkInterrupted("The job has ended, or another worker has the file.")

    def close(self) -> None:
        """Store the new windows if they are worth it, for the attempt that follows an interruption."""
        if self._unsaved_sec() >= LEAST_SEC:
            self._save()

    def _count_known(self, new: Iterable[StoredWindow] = ()) -> int:
        """Return the number of windows from the start that are stored without a gap, with new ones."""
        stored = self._stored.union(each.index for each in new)
        return next(index for index in count(self._n_known) if index not in stored)

    def _is_due(self) -> bool:
        if self.clock() < self._retry_at:
            return False
        if not self._has_progressed and self._count_known(self._new) > self._n_known:
            return True  # from now on, the death of the worker does not count against the file
        waited_sec, unsaved_sec = self.clock() - self._wrote_at, self._unsaved_sec()
        return (unsaved_sec >= LEAST_SEC and waited_sec >= PAUSE_SEC) or unsaved_sec >= MOST_SEC

    def _unsaved_sec(self) -> float:
        """Return the seconds of the recording that would be lost: of sound, or of its timeline with long pauses.

        In the first `LEAST_SEC` it is nothing, so that shorter recordings with several channels have no checkpoint.
        """
        reached_sec = max((each.end_sec for each in self._new), default=0.0)
        if max(reached_sec, self._reached_sec) < LEAST_SEC:
            return 0.0
        return max(self._new_sec, reached_sec - self._reached_sec if self._new else 0.0)

    def _save(self) -> bool | None:
        n_known = self._count_known(self._new)
        written = self.store.write(StoredWindows(self.language, tuple(self._new), self.position).pack(), n_known)
        self._wrote_at = self.clock()
        if written is None:
            self._retry_at = self._wrote_at + RETRY_SEC
        if written:
            self._has_progressed |= n_known > self._n_known
            self._stored.update(each.index for each in self._new)
            self._stored.difference_update(range(self._n_known, n_known))
            self._n_known = n_known
            self._reached_sec = max(self._reached_sec, *(each.end_sec for each in self._new))
            self._new.clear()
            self._new_sec = 0.0
        return written
