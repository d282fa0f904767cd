"""WebM and Matroska: the sound of videos, recordings of browsers, times and lengths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from batchscribe.errors import CorruptMedia, DecodeLimitExceeded, NoAudioTrack, UnsupportedMedia
from tests.audio_files import encoded, tone
from tests.audio_videos import video, vorbis
from tests.unit.test_audio_timeline import BEEPS_SEC, beeps, heard, late, onsets_sec

RATE = 48_000
MP4_WITHOUT_SOUND = video(None, codec="mjpeg", container="mp4", duration_sec=2.0)
LIVE = {"live": "1"}  #: as a browser records: no length, no index, clusters of unknown size


def webm(options: dict[str, str] | None = None, moved: Callable[[float], float] | None = None, times: int = 1) -> bytes:
    sound = np.concatenate([beeps(RATE)] * times)
    return encoded(sound, codec="libopus", container="webm", rate=RATE, options=options, moved=moved)


VIDEOS = {
    "VP8": ("libvpx", "webm", "libopus"),
    "VP9": ("libvpx-vp9", "webm", "libopus"),
    "Motion JPEG in Matroska": ("mjpeg", "matroska", "aac"),
}


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize("options", [{}, LIVE], ids=["file", "live"])
def test_only_the_sound_of_a_video_is_decoded_at_its_times(name: str, options: dict[str, str]) -> None:
    codec, container, sound_codec = VIDEOS[name]
    content = video(beeps(RATE), codec=codec, container=container, sound_codec=sound_codec, options=options)
    channels, media = heard(content)
    assert onsets_sec(channels[0]) == pytest.approx(BEEPS_SEC, abs=0.01)
    assert (media.container, media.warnings) == ("webm", ())
    assert media.duration_sec == pytest.approx(8.0, abs=0.05)


@pytest.mark.parametrize("options", [{}, LIVE], ids=["file", "live"])
def test_sound_that_begins_after_the_picture_has_the_times_of_the_picture(options: dict[str, str]) -> None:
    channels, media = heard(video(beeps(RATE), options=options, late_sec=0.5))
    assert onsets_sec(channels[0]) == pytest.approx([0.5 + sec for sec in BEEPS_SEC], abs=0.01)
    assert media.warnings == ()


def test_a_picture_that_lasts_longer_is_not_missing_sound() -> None:
    _, media = heard(video(beeps(RATE), duration_sec=20.0))
    assert media.duration_sec == pytest.approx(8.0, abs=0.05)
    assert media.warnings == ()


@pytest.mark.parametrize("container", ["webm", "matroska"])
def test_a_video_without_sound_has_the_error_of_an_mp4_without_sound(container: str) -> None:
    for content in (video(None, container=container, duration_sec=2.0), MP4_WITHOUT_SOUND):
        with pytest.raises(NoAudioTrack, match="The file has no audio track"):
            heard(content)


@pytest.mark.parametrize("options", [{}, LIVE], ids=["file", "live"])
@pytest.mark.parametrize("container", ["webm", "ogg"])
def test_vorbis_has_its_times(container: str, options: dict[str, str]) -> None:
    channels, media = heard(vorbis(beeps(44_100), container=container, rate=44_100, options=options))
    assert onsets_sec(channels[0]) == pytest.approx(BEEPS_SEC, abs=0.01)
    assert (media.codec, media.warnings) == ("vorbis", ())


@pytest.mark.parametrize("options", [{}, LIVE], ids=["file", "live"])
def test_a_part_of_a_running_stream_starts_at_once(options: dict[str, str]) -> None:
    channels, media = heard(webm(options, moved=late(3000.0)))
    assert onsets_sec(channels[0]) == pytest.approx(BEEPS_SEC, abs=0.01)
    assert media.warnings == ()


def test_recordings_of_a_browser_that_were_joined_are_decoded_in_order() -> None:
    channels, _ = heard(webm(LIVE) + webm(LIVE))
    assert onsets_sec(channels[0]) == pytest.approx([*BEEPS_SEC, *(8 + sec for sec in BEEPS_SEC)], abs=0.03)


def test_a_file_that_was_cut_off_has_a_warning_and_a_live_one_has_no_length_to_compare_with() -> None:
    whole = webm()
    channels, media = heard(whole[: len(whole) // 2])
    assert onsets_sec(channels[0])[:2] == pytest.approx(BEEPS_SEC[:2], abs=0.01)
    (warning,) = media.warnings
    assert warning == f"The file declares a length of 8.0 s but contains {media.duration_sec:.1f} s."
    live = webm(LIVE)
    channels, media = heard(live[: len(live) // 2])
    assert onsets_sec(channels[0])[:2] == pytest.approx(BEEPS_SEC[:2], abs=0.01)
    assert media.warnings == ()


def test_the_clusters_behind_damage_keep_their_times() -> None:
    content = bytearray(webm(times=4))
    start = len(content) // 4
    content[start : start + 3000] = bytes(3000)
    channels, media = heard(bytes(content))
    assert onsets_sec(channels[0])[-4:] == pytest.approx([24 + sec for sec in BEEPS_SEC], abs=0.01)
    assert media.duration_sec == pytest.approx(32.0, abs=0.05)


def test_what_announces_itself_as_too_long_is_refused_when_it_is_opened() -> None:
    with pytest.raises(DecodeLimitExceeded, match=r"is 8\.0 s long, and the limit is 7\.5 s"):
        heard(webm(), max_sec=7.5)
    with pytest.raises(DecodeLimitExceeded, match=r"longer than 7\.5 s"):
        heard(webm(LIVE), max_sec=7.5)


@pytest.mark.parametrize("length", [b"999999999:", b"00:00:-8.0", b"8 seconds ", b"          "])
def test_an_odd_length_is_no_length(length: bytes) -> None:
    content = webm()
    at = content.index(b"00:00:08.0")
    assert heard(content[:at] + length + content[at + len(length) :])[1].duration_sec == pytest.approx(8.0, abs=0.05)


def test_a_head_alone_is_damaged_and_an_unsupported_codec_is_named() -> None:
    with pytest.raises(CorruptMedia, match="its WebM structure cannot be read"):
        heard(webm()[:40])
    content = webm()
    with pytest.raises(UnsupportedMedia, match="is encoded with dca, which is not supported"):
        heard(content.replace(b"A_OPUS", b"A_DTSX"))


def test_stereo_is_kept_apart_and_two_tracks_are_reported() -> None:
    sides = np.concatenate([tone(2.0, 300, rate=RATE), tone(2.0, 700, rate=RATE)], axis=1)
    channels, media = heard(encoded(sides, codec="libopus", container="webm", rate=RATE), apart=True)
    peaks = [int(np.argmax(np.abs(np.fft.rfft(channel[:16_000])))) for channel in channels]
    assert (peaks, media.warnings) == ([300, 700], ())
    _, media = heard(encoded(sides, codec="libopus", container="webm", rate=RATE, tracks=2))
    assert media.warnings == ("Audio track 1 of 2 was transcribed.",)
