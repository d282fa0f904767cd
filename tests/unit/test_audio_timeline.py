"""Audio is at the times of a player: late starts, gaps, lost packets, cut starts, wrong clocks."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pytest
from av.audio.frame import AudioFrame

from batchscribe.audio.channels import Channels
from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.media import Media
from batchscribe.audio.timeline import Placed, Timeline
from batchscribe.audio.track import AudioTrack
from batchscribe.errors import DecodeLimitExceeded
from batchscribe.input_formats import ALL_NAMES
from batchscribe.window import SAMPLE_RATE, Samples
from tests.audio_files import Bytes, Int16, encoded, tone, wav

BEEPS_SEC = [1.0, 3.0, 5.0, 7.0]  #: where they begin; each lasts half a second


def beeps(rate: int = SAMPLE_RATE) -> Int16:
    """int16[8 s, 1]: a pure tone, switched on and off."""
    moments_sec = np.arange(8 * rate) / rate
    is_on = (moments_sec % 2 >= 1) & (moments_sec % 2 < 1.5)
    return np.where(is_on[:, np.newaxis], tone(8.0, 440, rate=rate), 0).astype(np.int16)


def heard(content: bytes, *, apart: bool = False, max_sec: float = 3600.0) -> tuple[Channels, Media]:
    source = Bytes(content)
    track = AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=apart, max_sec=max_sec)
    blocks = list(track.blocks(lambda: None))
    media = track.media
    track.close()
    return np.concatenate(blocks, axis=1), media


def onsets_sec(samples: Samples) -> list[float]:
    """Return where it gets loud after at least 0.2 s of quiet."""
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    starts = loud[np.insert(np.diff(loud) > SAMPLE_RATE // 5, 0, True)]
    return [float(start) / SAMPLE_RATE for start in starts]


def late(start_sec: float) -> Callable[[float], float]:
    return lambda sec: sec + start_sec


def with_hole(sec: float) -> float:
    """Return packets with a gap of ten seconds at second four."""
    return sec if sec < 4.0 else sec + 10.0


MP4S = {
    "M4A": ("aac", "ipod", 16_000, {}),
    "MP4, 44.1 kHz": ("aac", "mp4", 44_100, {}),
    "MOV": ("aac", "mov", 48_000, {}),
    "ALAC": ("alac", "ipod", 44_100, {}),
    "MP3 in MP4": ("mp3", "mp4", 44_100, {}),
    "fragmented": ("aac", "mp4", 16_000, {"movflags": "frag_keyframe+delay_moov", "frag_duration": "500000"}),
}
CLOCKED = MP4S | {
    "Ogg": ("libopus", "ogg", 48_000, {}),
    "FLAC in Ogg": ("flac", "ogg", 16_000, {}),
    "WebM": ("libopus", "webm", 48_000, {}),
    "WebM of a browser": ("libopus", "webm", 48_000, {"live": "1"}),
    "AAC in Matroska": ("aac", "matroska", 44_100, {}),
}


@pytest.mark.parametrize("name", MP4S)
def test_sound_that_starts_late_comes_behind_silence(name: str) -> None:
    codec, container, rate, options = MP4S[name]
    channels, media = heard(
        encoded(beeps(rate), codec=codec, container=container, rate=rate, options=options, moved=late(12.0))
    )
    assert onsets_sec(channels[0]) == pytest.approx([12 + sec for sec in BEEPS_SEC], abs=0.03)
    assert media.duration_sec == pytest.approx(20.0, abs=0.05)
    assert media.warnings == ()


@pytest.mark.parametrize("name", CLOCKED)
def test_a_hole_in_the_timestamps_is_silence(name: str) -> None:
    codec, container, rate, options = CLOCKED[name]
    channels, media = heard(
        encoded(beeps(rate), codec=codec, container=container, rate=rate, options=options, moved=with_hole)
    )
    assert onsets_sec(channels[0]) == pytest.approx([1.0, 3.0, 15.0, 17.0], abs=0.03)
    assert media.duration_sec == pytest.approx(18.0, abs=0.05)
    assert media.warnings == ()


@pytest.mark.parametrize("name", CLOCKED)
def test_without_either_every_container_has_the_same_times_to_a_hundredth(name: str) -> None:
    codec, container, rate, options = CLOCKED[name]
    channels, media = heard(encoded(beeps(rate), codec=codec, container=container, rate=rate, options=options))
    assert onsets_sec(channels[0]) == pytest.approx(BEEPS_SEC, abs=0.01)
    assert media.duration_sec == pytest.approx(8.0, abs=0.05)


def test_each_channel_gets_the_silence_of_a_hole() -> None:
    stereo = np.repeat(beeps(), 2, axis=1)
    channels, _ = heard(encoded(stereo, codec="aac", container="ipod", moved=with_hole), apart=True)
    assert len(channels) == 2
    for channel in channels:
        assert onsets_sec(channel) == pytest.approx([1.0, 3.0, 15.0, 17.0], abs=0.03)


def test_audio_that_an_edit_list_cuts_off_at_the_start_is_dropped() -> None:
    channels, media = heard(encoded(beeps(), codec="aac", container="ipod", moved=late(-2.0)))
    assert onsets_sec(channels[0]) == pytest.approx([1.0, 3.0, 5.0], abs=0.03)
    assert media.duration_sec == pytest.approx(6.0, abs=0.05)


def test_an_ogg_that_was_taken_from_a_running_stream_starts_at_once() -> None:
    channels, media = heard(encoded(beeps(48_000), codec="libopus", container="ogg", rate=48_000, moved=late(3000.0)))
    assert onsets_sec(channels[0]) == pytest.approx(BEEPS_SEC, abs=0.03)
    assert media.warnings == ()


def test_damaged_packets_are_silence_and_one_warning_says_how_much() -> None:
    content = bytearray(encoded(beeps(), codec="aac", container="ipod"))
    start = content.index(b"mdat")
    end = content.index(b"moov")
    damaged = slice(start + (end - start) // 4, start + (end - start) // 2)
    content[damaged] = b"\xff" * (damaged.stop - damaged.start)
    channels, media = heard(bytes(content))
    assert onsets_sec(channels[0])[-2:] == pytest.approx([5.0, 7.0], abs=0.05)
    assert media.duration_sec == pytest.approx(8.0, abs=0.05)
    (warning,) = media.warnings
    count, lost_sec = int(warning.split()[0]), float(warning.split(": ")[1].split()[0])
    assert lost_sec == pytest.approx(count * 1024 / SAMPLE_RATE, abs=0.01)


def test_packets_that_a_decoder_drops_without_an_error_count_as_damaged() -> None:
    """As the ALAC decoder does with some."""
    content = encoded(beeps(44_100), codec="alac", container="ipod", rate=44_100)
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    for begin, finish in ((start, (start + end) // 2), ((start + end) // 2, end)):
        hole = np.random.default_rng(9).bytes(finish - begin)
        _, media = heard(content[:begin] + hole + content[finish:])
        assert media.duration_sec == pytest.approx(8.0, abs=0.05)
        (warning,) = media.warnings
        assert float(warning.split(": ")[1].split()[0]) > 3.0  # a few random bytes can be decoded


FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "1000000"}


def with_fragments_at(content: bytes, moved: Callable[[float], float]) -> bytes:
    """Return a fragmented MP4 whose fragments declare other start times."""
    changed, at = bytearray(content), 0
    while (at := changed.find(b"tfdt", at + 1)) >= 0:
        start = struct.unpack_from(">Q", changed, at + 8)[0]
        struct.pack_into(">Q", changed, at + 8, round(moved(start / SAMPLE_RATE) * SAMPLE_RATE))
    return bytes(changed)


RESTARTS: dict[str, tuple[Callable[[float], float], int]] = {
    "all fragments at zero": (lambda sec: 0.0, 7),
    "a second recording behind the first": (lambda sec: sec if sec < 4.0 else sec - 4.0, 1),
    "three seconds back": (lambda sec: sec if sec < 4.0 else sec - 3.0, 1),
}


@pytest.mark.parametrize("name", RESTARTS)
def test_fragments_whose_clock_goes_back_are_decoded_in_order(name: str) -> None:
    moved, n_restarts = RESTARTS[name]
    content = encoded(beeps(), codec="aac", container="mp4", options=FRAGMENTS)
    whole, _ = heard(content)
    channels, media = heard(with_fragments_at(content, moved))
    assert onsets_sec(channels[0]) == pytest.approx(onsets_sec(whole[0]), abs=0.02)
    (warning,) = media.warnings
    assert warning.startswith(f"{n_restarts} timestamp")
    assert warning.endswith("to an earlier time; the audio after that was appended.")


def test_fragments_that_overlap_a_little_are_cut_as_players_do() -> None:
    content = encoded(beeps(), codec="aac", container="mp4", options=FRAGMENTS)
    channels, media = heard(with_fragments_at(content, lambda sec: sec if sec < 4.0 else sec - 0.3))
    assert onsets_sec(channels[0])[-1] == pytest.approx(7.064 - 0.3, abs=0.02)
    assert media.warnings == ()


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_an_edit_list_that_changes_the_speed_causes_a_warning(speed: float) -> None:
    content = bytearray(encoded(beeps(), codec="aac", container="ipod"))
    at = content.index(b"elst") + 12
    struct.pack_into(">I", content, at + 8, round(speed * 65_536))
    _, media = heard(bytes(content))
    assert media.warnings == (
        "The file's edit list changes the speed of some parts; they were transcribed at normal speed.",
    )


def test_missing_frames_of_a_flac_cause_a_warning() -> None:
    content = encoded(beeps(), codec="flac", container="flac")
    start, length = len(content) // 3, len(content) // 4
    channels, media = heard(content[:start] + bytes(length) + content[start + length :])
    assert onsets_sec(channels[0])[-1] == pytest.approx(7.0, abs=0.03)
    assert media.warnings[-1].endswith("s of sound are missing from the file and were replaced by silence.")


def test_a_damaged_end_keeps_its_length() -> None:
    content = bytearray(encoded(beeps(), codec="aac", container="ipod"))
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[(start + end) // 2 : end] = b"\xff" * (end - (start + end) // 2)
    _, media = heard(bytes(content))
    assert media.duration_sec == pytest.approx(8.0, abs=0.1)
    assert len(media.warnings) == 1


def test_chained_recordings_in_an_ogg_are_decoded_in_order() -> None:
    one = encoded(beeps(48_000), codec="libopus", container="ogg", rate=48_000)
    channels, _ = heard(one + one)
    assert onsets_sec(channels[0]) == pytest.approx([*BEEPS_SEC, *(8 + sec for sec in BEEPS_SEC)], abs=0.03)


@pytest.mark.parametrize("options", [{}, {"movflags": "frag_keyframe+empty_moov", "frag_duration": "500000"}])
def test_a_damaged_timestamp_makes_no_years_of_silence(options: dict[str, str]) -> None:
    """One packet of a plain MP4, or all packets after second four of a fragmented one, are far in the future."""

    def moved(sec: float) -> float:
        return sec + 30_000.0 if sec >= 4.0 else sec

    content = encoded(beeps(), codec="aac", container="mp4", options=options, moved=moved)
    if not options:
        content = with_duration(content, 8 * SAMPLE_RATE)
    channels, media = heard(content)
    assert onsets_sec(channels[0]) == pytest.approx(BEEPS_SEC, abs=0.1)
    assert media.duration_sec == pytest.approx(8.0, abs=0.1)
    assert any("1 timestamp jumps" in warning for warning in media.warnings)


def with_duration(content: bytes, ticks: int) -> bytes:
    """Return an MP4 whose headers declare this duration, in ticks of the audio clock."""
    changed = bytearray(content)
    at = changed.index(b"mdhd") + 20
    changed[at : at + 4] = struct.pack(">I", ticks)
    return bytes(changed)


def test_what_announces_itself_as_too_long_is_refused_when_it_is_opened() -> None:
    for content in (
        wav(beeps()),
        encoded(beeps(), codec="mp3", container="mp3"),
        encoded(beeps(), codec="aac", container="ipod"),
        encoded(beeps(), codec="aac", container="ipod", moved=late(1.0)),
        encoded(beeps(), codec="aac", container="mp4", options={"movflags": "frag_keyframe+empty_moov"}),
        encoded(beeps(), codec="flac", container="flac"),
    ):
        source = Bytes(content)
        with pytest.raises(DecodeLimitExceeded, match=r"is [89]\.\d s long, and the limit is 7\.5 s"):
            AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=False, max_sec=7.5)


def test_a_header_that_lies_about_its_length_does_not_get_around_the_limit() -> None:
    content = with_duration(encoded(beeps(), codec="aac", container="ipod"), 2 * SAMPLE_RATE)
    with pytest.raises(DecodeLimitExceeded, match=r"longer than 7\.5 s"):
        heard(content, max_sec=7.5)
    # And one that is too long rejects nothing if the index says that it is short.
    assert heard(with_duration(content, 2**31))[1].duration_sec == pytest.approx(8.0, abs=0.1)


def test_silence_counts_against_the_limit() -> None:
    content = with_duration(encoded(beeps(), codec="aac", container="ipod", moved=with_hole), 0)
    with pytest.raises(DecodeLimitExceeded):
        heard(content, max_sec=15.0)


# --- an inaccurate clock ---------------------------------------------------------------------------------------


def frames(moments_sec: list[float], *, length_sec: float = 0.02) -> Iterator[AudioFrame]:
    for moment_sec in moments_sec:
        frame = AudioFrame(format="s16", layout="mono", samples=round(length_sec * SAMPLE_RATE))
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, 1000)
        frame.pts = round(moment_sec * 1000)
        yield frame


def placed(moments_sec: list[float], **wanted: float) -> list[Placed]:
    timeline = Timeline(0.0, 0.0, wanted.get("length_sec"), wanted.get("max_sec", 3600.0))
    found = [place for frame in frames(moments_sec) for place in timeline.accept(frame)]
    return [*found, *timeline.finish(0.0)]


def jumps(moments_sec: list[float], **wanted: float) -> list[tuple[int, float]]:
    places = placed(moments_sec, **wanted)
    assert len(places) == len(moments_sec)
    return [(at, round(place.start_sec, 3)) for at, place in enumerate(places) if place.start_sec is not None]


STEADY = [0.02 * number for number in range(500)]


def test_jitter_moves_nothing() -> None:
    shaken = np.random.default_rng(3).uniform(-0.008, 0.008, len(STEADY))
    assert jumps([max(0.0, sec + shake) for sec, shake in zip(STEADY, shaken, strict=True)]) in ([], [(0, 0.008)])
    rounded = [round(sec, 2) for sec in STEADY]
    assert jumps(rounded) == []


@pytest.mark.parametrize("wrong_sec", [0.1, 5.0, 1e9, -0.1, -5.0])
def test_a_single_wrong_timestamp_moves_nothing(wrong_sec: float) -> None:
    assert jumps([*STEADY[:100], STEADY[100] + wrong_sec, *STEADY[101:]]) == []


@pytest.mark.parametrize("hole_sec", [0.03, 0.06, 1.0, 1000.0])
def test_a_hole_is_where_it_is_and_as_long_as_it_is(hole_sec: float) -> None:
    assert jumps([*STEADY[:100], *(sec + hole_sec for sec in STEADY[100:])]) == [(100, round(2.0 + hole_sec, 3))]


def test_a_hole_right_before_the_end_counts() -> None:
    assert jumps([*STEADY[:100], 12.0]) == [(100, 12.0)]


def test_a_slow_clock_never_strays_by_more_than_a_fiftieth_of_a_second() -> None:
    moments_sec = [sec * 1.001 for sec in (0.02 * number for number in range(10_000))]
    places = placed(moments_sec)
    at_sec = 0.0
    for place, moment_sec in zip(places, moments_sec, strict=True):
        at_sec = at_sec if place.start_sec is None else place.start_sec
        assert abs(at_sec - moment_sec) <= 0.022
        at_sec += 0.02


def test_an_overlap_is_cut_and_a_clock_that_starts_anew_is_not_followed() -> None:
    assert jumps([*STEADY[:100], *(sec - 0.064 for sec in STEADY[100:])]) == [(100, 1.936)]
    assert jumps([*STEADY[:100], *STEADY]) == []


def test_a_clock_that_is_wrong_throughout_costs_hardly_any_sound() -> None:
    """Timestamps that advance by 10 ms for every 20 ms of sound."""
    lost_sec = 0.0
    at_sec = 0.0
    for place in placed([sec / 2 for sec in STEADY]):
        lost_sec += 0.0 if place.start_sec is None else at_sec - place.start_sec
        at_sec = (at_sec if place.start_sec is None else place.start_sec) + 0.02
    assert lost_sec <= 1.2


def test_a_clock_that_runs_at_half_speed_puts_no_silence_between_all_packets() -> None:
    """Timestamps that advance by 46 ms for every 23 ms of sound."""
    content = encoded(beeps(44_100), codec="aac", container="mp4", rate=44_100, moved=lambda sec: 2 * sec)
    channels, media = heard(content)
    beep = channels[0, : round(media.duration_sec * SAMPLE_RATE)]
    starts_sec = onsets_sec(beep)[-3:]
    assert np.diff(starts_sec) == pytest.approx([2.0, 2.0], abs=0.03)
    assert any(warning.startswith("The timestamps do not match the audio") for warning in media.warnings)


def test_a_clock_at_double_speed_loses_hardly_any_sound_and_causes_a_warning() -> None:
    content = encoded(beeps(44_100), codec="aac", container="mp4", rate=44_100, moved=lambda sec: sec / 2)
    _, media = heard(content)
    assert media.duration_sec > 6.8
    assert any(warning.startswith("The timestamps do not match the audio") for warning in media.warnings)


def test_lost_packets_of_a_call_are_silent_where_they_were() -> None:
    """A fifth of them, at random."""
    kept = [sec for sec in STEADY if np.random.default_rng(round(sec * 1000)).random() > 0.2]
    at_sec = 0.0
    for place, moment_sec in zip(placed(kept), kept, strict=True):
        at_sec = at_sec if place.start_sec is None else place.start_sec
        assert abs(at_sec - moment_sec) <= 0.022
        at_sec += 0.02


def test_a_jump_beyond_the_announced_end_or_the_limit_is_not_believed() -> None:
    moments_sec = [*STEADY[:100], *(sec + 500.0 for sec in STEADY[100:])]
    assert jumps(moments_sec, length_sec=10.0) == []
    assert jumps(moments_sec, max_sec=400.0) == []
    assert jumps(moments_sec, length_sec=510.0) == [(100, 502.0)]
