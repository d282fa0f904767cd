"""The input of FFmpeg: the recordings in a file, one after the other, without anything that is not sound."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol

from batchscribe.audio.file_view import FileView, SeekableFile
from batchscribe.audio.loudness import float_level
from batchscribe.audio.mp3_frames import Mp3Frames
from batchscribe.audio.ogg_links import OggLinks
from batchscribe.audio.sniff import check_format
from batchscribe.audio.wav_header import MAX_PARTS, WavSamples, find_wavs


class Readable(Protocol):
    def read(self, length: int) -> bytes: ...


class Part(NamedTuple):
    """One recording of the file. Some programs append a second one to the first."""

    content: Readable
    is_counted: bool  #: its header gives its length
    is_measured: bool = True  #: FFmpeg can determine its length


class SoundSource(Protocol):
    """An opened file; `n_lost`, `is_broken_off` and `announced_share` are final once all parts are read."""

    container: str
    level: float  #: divisor for all samples

    def parts(self) -> Iterator[Part]:
        """Yield the parts; each must be read to its end before the next."""
        ...

    @property
    def n_lost(self) -> int:
        """Missing frames that were replaced by silence."""
        ...

    @property
    def is_broken_off(self) -> bool: ...

    @property
    def announced_share(self) -> float:
        """The announced length divided by the length in the file; 1.0 if the file is complete."""
        ...


class PlainSource:
    """A file that FFmpeg reads unchanged, from `start` on."""

    level = announced_share = 1.0
    n_lost = 0
    is_broken_off = False

    def __init__(self, file: SeekableFile, container: str, start: int) -> None:
        self.container = container
        self._file = FileView(file, start, file.size) if start else file

    def parts(self) -> Iterator[Part]:
        self._file.seek(0)
        yield Part(self._file, is_counted=True)


class WavSource:
    container = "wav"

    def __init__(self, file: SeekableFile, start: int) -> None:
        """Find the samples. Raises `CorruptMedia` and `UnsupportedMedia`."""
        self._file = file
        self._wavs = find_wavs(file, start)
        self.is_broken_off = len(self._wavs) == MAX_PARTS
        self.n_lost = 0
        self.level = max(float_level(file, wav) for wav in self._wavs)

    def parts(self) -> Iterator[Part]:
        for wav in self._wavs:
            has_frames = False
            for part in self._mpeg_parts(wav) if wav.form.is_mpeg else ():
                has_frames = True
                yield part
            if not has_frames:
                yield Part(wav.view(self._file), is_counted=False)

    def _mpeg_parts(self, wav: WavSamples) -> Iterator[Part]:
        """Yield MP3 in a WAV as MP3: FFmpeg would lose the duration of damaged frames."""
        frames = Mp3Frames(FileView(self._file, wav.start, wav.end))
        for recording in frames.recordings():
            yield Part(recording, is_counted=False, is_measured=recording.is_counted)
        self.n_lost += frames.n_lost
        self.is_broken_off |= frames.is_broken_off

    @property
    def announced_share(self) -> float:
        held = sum(wav.held_bytes for wav in self._wavs)
        return sum(wav.believed_bytes for wav in self._wavs) / held if held else 1.0


class Mp3Source:
    container = "mp3"
    level = announced_share = 1.0

    def __init__(self, file: SeekableFile) -> None:
        self._frames = Mp3Frames(file)

    def parts(self) -> Iterator[Part]:
        for recording in self._frames.recordings():
            yield Part(recording, recording.is_counted, is_measured=recording.is_counted)

    @property
    def n_lost(self) -> int:
        return self._frames.n_lost

    @property
    def is_broken_off(self) -> bool:
        return self._frames.is_broken_off


class OggSource:
    container = "ogg"
    level = announced_share = 1.0
    n_lost = 0
    is_broken_off = False

    def __init__(self, file: SeekableFile, start: int) -> None:
        self._links = OggLinks(file, start)

    def parts(self) -> Iterator[Part]:
        for link in self._links.recordings():
            yield Part(link, is_counted=False, is_measured=False)


def open_sound_source(file: SeekableFile, input_formats: Collection[str]) -> SoundSource:
    """Detect the format and open the file. Raises `UnsupportedMedia` and `CorruptMedia`."""
    container, start = check_format(file, input_formats)
    if container == "wav":
        return WavSource(file, start)
    if container == "ogg":
        return OggSource(file, start)
    return Mp3Source(file) if container == "mp3" else PlainSource(file, container, start)
