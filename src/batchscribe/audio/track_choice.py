"""The choice of the audio track to transcribe: the first with an allowed codec that can be decoded and has speech."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition

from batchscribe.audio.decode_limits import MAX_CHANNELS
from batchscribe.audio.findings import Finding, Remark, refusal, remark
from batchscribe.audio.media import Media
from batchscribe.errors import CorruptMedia, MediaError, UnsupportedMedia

#: FFmpeg's names of the decoders that may run, also while it probes: hostile video never reaches a video decoder. The
#: list includes codecs of telephony and dictation. All others are refused by name.
CODECS = frozenset(name for name in av.codecs_available if name.startswith(("pcm_", "adpcm_"))) | {
    "aac", "aac_latm", "ac3", "alac", "amrnb", "amrwb", "eac3", "evrc", "flac", "g722", "g723_1", "g726", "g726le",
    "g729", "gsm", "gsm_ms", "ilbc", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "opus", "qcelp",
    "truespeech", "vorbis",
}  # fmt: skip


MAX_TRIED = 16  #: a track without speech costs as much as one with speech


class TrackChoice:
    """The order of tracks: the default track first, then the others in file order. Remembers unusable tracks."""

    def __init__(self) -> None:
        self._undecodable: set[int] = set()
        self._silent: set[int] = set()
        self._n_tried = 0
        self.is_heard = False  #: a window of the chosen track was sent to the parent
        self._chosen = -1
        self._order: list[int] = []  #: indexes of the audio streams, in the order of their numbers

    def choose(self, container: InputContainer) -> AudioStream:
        """Choose a track and discard all other streams. Raises `NoAudioTrack`, `UnsupportedMedia`, `CorruptMedia`."""
        tracks = container.streams.audio
        if not tracks:
            raise refusal(Finding.NO_AUDIO_TRACK)
        self._order = [track.index for track in tracks]
        chosen = self._first_of_use(sorted(tracks, key=lambda track: not track.disposition & Disposition.default))
        self._chosen = chosen.index
        for stream in container.streams:
            if stream.index != chosen.index:
                stream.discard = Discard.all
        return chosen

    def pass_over(self, *, is_silent: bool) -> bool:
        """Mark the chosen track as unusable, and return whether to try another one."""
        (self._silent if is_silent else self._undecodable).add(self._chosen)
        self._n_tried += 1
        return len(self._order) > len(self._silent | self._undecodable) and self._n_tried < MAX_TRIED

    def without_speech(self, media: Media) -> Media:
        """Return the facts of the first decodable track; if there are several tracks, warn that none has speech."""
        if len(self._order) < 2:
            return media
        silent = remark(Finding.TRACKS_SILENT, tried=len(self._silent), tracks=len(self._order))
        return replace(media, remarks=(silent, *media.remarks[1:]))

    def remarks(self) -> Iterator[Remark]:
        if len(self._order) < 2:
            return
        facts = {"track": self._order.index(self._chosen) + 1, "tracks": len(self._order)}
        passed = sorted((self._silent | self._undecodable) - {self._chosen})
        if not passed:
            yield remark(Finding.TRACK_CHOSEN, **facts)
        elif len(passed) > 1:
            yield remark(Finding.TRACK_LEFT, others=len(passed), **facts)
        else:
            finding = Finding.TRACK_HEARD if passed[0] in self._silent else Finding.TRACK_DECODABLE
            yield remark(finding, passed=self._order.index(passed[0]) + 1, **facts)

    def _first_of_use(self, tracks: list[AudioStream]) -> AudioStream:
        refused: MediaError | None = None
        for track in tracks:
            if track.index in self._silent | self._undecodable:
                continue
            try:
                check_codec(track)
            except (CorruptMedia, UnsupportedMedia) as error:
                refused = refused or error
                self._undecodable.add(track.index)
            else:
                return track
        raise refused or refusal(Finding.NOTHING_DECODED)


def check_codec(stream: AudioStream) -> AudioCodecContext:
    """Return the codec of a track. Raises `UnsupportedMedia`, `CorruptMedia`."""
    codec = cast("AudioCodecContext | None", stream.codec_context)
    if codec is None:
        raise refusal(Finding.CODEC_UNKNOWN)
    if codec.name not in CODECS:
        raise refusal(Finding.CODEC_NOT_DECODED, codec=codec.name)
    if not 1 <= codec.channels <= MAX_CHANNELS:
        raise refusal(Finding.CHANNELS_IMPOSSIBLE, channels=codec.channels)
    codec.thread_count = 1
    return codec
