"""MP3 files with tags, zeros, garbage and other recordings around, between and instead of their frames."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import numpy as np
import pytest

from batchscribe.audio import mp3_walk
from batchscribe.audio.channels import Channels
from batchscribe.audio.file_view import BLOCK_BYTES, RemoteFile
from batchscribe.audio.media import Media
from batchscribe.audio.mpeg_frame import frame
from batchscribe.audio.track import AudioTrack
from batchscribe.errors import CorruptMedia, MediaError, UnsupportedMedia
from batchscribe.input_formats import ALL_NAMES
from tests.audio_files import Bytes, encoded, noise, tone, wav

RATE = 16_000
FRAME_SAMPLES = 576
SOUND = np.concatenate([tone(1.5, 300), noise(1.0), tone(1.5, 700)])
TAGGED = encoded(SOUND, codec="mp3", container="mp3")
BARE = encoded(SOUND, codec="mp3", container="mp3", options={"id3v2_version": "0"})
UNCOUNTED = encoded(SOUND, codec="mp3", container="mp3", options={"id3v2_version": "0", "write_xing": "0"})
RANDOM = np.random.default_rng(1).bytes(700)
ID3V1 = b"TAG" + b"x" * 125
LYRICS = b"LYRICSBEGININD0000200LYR00010hello worl000043LYRICS200"
#: A picture in a tag may contain bytes that look like frames.
PICTURE = b"\xff\xfb\x90\x00" * 1000


def id3(n_bytes: int) -> bytes:
    size = bytes(n_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + (b"APIC" + PICTURE * (n_bytes // len(PICTURE) + 1))[:n_bytes]


def ape(items: bytes, *, has_header: bool = True) -> bytes:
    def part(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, 1, flags) + bytes(8)

    return (part(0xA0000000) if has_header else b"") + items + part(0x80000000)


def decoded(content: bytes | Bytes) -> tuple[Channels, Media]:
    source = content if isinstance(content, Bytes) else Bytes(content)
    track = AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=True, max_sec=1e6)
    blocks = list(track.blocks(lambda: None))
    media = track.media
    track.close()
    return np.concatenate(blocks, axis=1), media


PLAIN, PLAIN_MEDIA = decoded(BARE)

AROUND = {
    "an ID3 tag in front": TAGGED,
    "an ID3 tag of 2 MiB in front": id3(2**21 - 10) + BARE,
    "two ID3 tags in front": id3(5000) + TAGGED,
    "an ID3 tag with padding in front": id3(100) + bytes(3000) + BARE,
    "an ID3 tag that claims to be longer than the file": b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + BARE,
    "an APE tag in front": ape(bytes(6000)) + BARE,
    "zeros in front": bytes(6000) + BARE,
    "3 MiB of zeros in front": bytes(3 * BLOCK_BYTES) + BARE,
    "rubbish in front": RANDOM[:300] + BARE,
    "zeros behind": BARE + bytes(5000),
    "an ID3v1 tag behind": BARE + ID3V1,
    "Lyrics3 and ID3v1 behind": BARE + LYRICS + ID3V1,
    "an APE tag behind": BARE + ape(struct.pack("<II", 3, 0) + b"Title\0abc"),
    "an APE tag without its header behind": BARE + ape(b"", has_header=False),
    "an APE and an ID3v1 tag behind": BARE + ape(PICTURE) + ID3V1,
    "an ID3v2 tag behind": BARE + id3(3000),
    "text behind": BARE + b"recorded on a rainy day\n" * 30,
    "random bytes behind": BARE + RANDOM,
}


@pytest.mark.parametrize("name", AROUND)
def test_data_around_the_frames_is_neither_audio_nor_damage(name: str) -> None:
    channels, media = decoded(AROUND[name])
    assert np.array_equal(channels, PLAIN)
    assert media == PLAIN_MEDIA
    assert media.duration_sec == pytest.approx(4.0, abs=0.001)
    assert media.warnings == ()


def frames_of(content: bytes) -> list[int]:
    """Return where the frames of a bare MP3 begin."""
    starts, at = [], 0
    while (found := frame(content[at : at + 4])) is not None:
        starts.append(at)
        at += found.n_bytes
    return starts


def test_a_tag_between_the_frames_is_not_damage() -> None:
    middle = frames_of(UNCOUNTED)[50]
    channels, media = decoded(UNCOUNTED[:middle] + ape(b"1" * 500) + id3(2000) + UNCOUNTED[middle:])
    assert np.array_equal(channels, decoded(UNCOUNTED)[0])
    assert media.warnings == ()


APPENDED = {
    "with tags": TAGGED + ID3V1 + TAGGED,
    "with a large tag": BARE + id3(100_000) + BARE,
    "without tags": BARE + BARE,
    "with zeros between": BARE + bytes(2000) + BARE,
    "the first cut off within its last frame": BARE + UNCOUNTED[:100] + TAGGED,
}


@pytest.mark.parametrize("name", APPENDED)
def test_a_recording_appended_to_another_is_decoded_after_it(name: str) -> None:
    channels, media = decoded(APPENDED[name])
    assert channels.shape[1] == pytest.approx(2 * PLAIN.shape[1], abs=FRAME_SAMPLES)
    assert np.abs(channels[0, : RATE * 3] - PLAIN[0, : RATE * 3]).max() < 0.01
    assert np.abs(channels[0, -RATE * 3 :] - PLAIN[0, -RATE * 3 :]).max() < 0.01
    assert media.warnings == ()


def test_recordings_of_different_rates_may_follow_each_other() -> None:
    other = encoded(tone(2.0, 500, rate=44_100), codec="mp3", container="mp3", rate=44_100)
    for content in (TAGGED + other, UNCOUNTED + other, other + TAGGED):
        _, media = decoded(content)
        assert media.duration_sec == pytest.approx(6.0, abs=0.15)
        assert media.warnings == ()


def test_an_appended_recording_with_more_channels_causes_a_warning_if_channels_are_separate() -> None:
    """The decoder keeps the number of channels of the start."""
    stereo = encoded(np.concatenate([SOUND, SOUND[::-1]], axis=1), codec="mp3", container="mp3")
    channels, media = decoded(TAGGED + stereo)
    assert len(channels) == 1
    assert media.warnings == ("The recording changes from 1 to 2 channels; 1 was transcribed.",)
    channels, media = decoded(stereo + TAGGED)
    assert len(channels) == 2
    assert media.warnings == ("The recording changes from 2 to 1 channel; 2 were transcribed.",)


def test_appended_wavs_are_decoded_in_order() -> None:
    channels, media = decoded(wav(SOUND) + wav(tone(1.0, 500, rate=8_000), rate=8_000) + wav(SOUND))
    assert media.duration_sec == pytest.approx(9.0, abs=0.01)
    assert np.array_equal(np.round(channels[0, : len(SOUND)] * 32768), SOUND[:, 0])
    assert np.abs(channels[0, -len(SOUND) :] * 32768 - SOUND[:, 0]).max() < 40
    assert media.warnings == ()


@pytest.mark.parametrize("content", [BARE, UNCOUNTED], ids=["counted", "uncounted"])
@pytest.mark.parametrize("hole", [bytes(4000), np.random.default_rng(2).bytes(4000)], ids=["zeros", "random"])
def test_sound_behind_damaged_frames_keeps_its_time(content: bytes, hole: bytes) -> None:
    whole = decoded(content)[0]
    start = len(content) * 2 // 5
    channels, media = decoded(content[:start] + hole + content[start + len(hole) :])
    assert media.duration_sec == pytest.approx(whole.shape[1] / RATE, abs=0.05)
    assert np.abs(channels[0, -RATE:] - whole[0, -RATE:]).max() < 0.02
    (warning,) = media.warnings
    assert "damaged packets were skipped" in warning


VARIABLE = encoded(SOUND, codec="mp3", container="mp3", options={"id3v2_version": "0"}, quality=4)
HOLES: dict[str, Callable[[int], bytes]] = {"zeros": bytes, "random": np.random.default_rng(2).bytes}


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("holes", [1, 3])
def test_with_a_variable_bit_rate_the_declared_number_of_frames_shows_what_was_lost(hole: str, holes: int) -> None:
    content = bytearray(VARIABLE)
    length = len(content) // 4 // holes
    for number in range(holes):
        start = len(content) * (number + 1) // (holes + 2)
        content[start : start + length] = HOLES[hole](length)
    whole = decoded(VARIABLE)[0]
    channels, media = decoded(bytes(content))
    assert media.duration_sec == 4.0
    assert np.abs(channels[0, -RATE:] - whole[0, -RATE:]).max() < 0.02
    (warning,) = media.warnings
    assert "damaged packets were skipped" in warning


def test_without_a_number_the_frames_around_damage_tell_roughly_what_was_lost() -> None:
    content = encoded(SOUND, codec="mp3", container="mp3", options={"id3v2_version": "0", "write_xing": "0"}, quality=4)
    whole_sec = decoded(content)[1].duration_sec
    start, length = len(content) // 2, len(content) // 20
    _, media = decoded(content[:start] + bytes(length) + content[start + length :])
    assert media.duration_sec == pytest.approx(whole_sec, abs=0.1)


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("content", [BARE, TAGGED], ids=["bare", "tagged"])
def test_sound_behind_a_damaged_start_keeps_its_time(content: bytes, hole: str) -> None:
    length = len(content) // 4
    channels, media = decoded(HOLES[hole](length) + content[length:])
    noisy = decoded(content)[0][0, round(1.6 * RATE) : round(2.4 * RATE)]
    found_at = int(np.argmax(np.correlate(channels[0], noisy, "valid")))
    assert found_at / RATE == pytest.approx(1.6, abs=0.05)
    assert "damaged packets were skipped" in media.warnings[0]


@pytest.mark.parametrize("hole", HOLES)
def test_a_damaged_end_keeps_its_length_if_the_number_of_frames_is_known(hole: str) -> None:
    length = len(BARE) // 4
    _, media = decoded(BARE[:-length] + HOLES[hole](length))
    assert media.duration_sec == 4.0
    (warning,) = media.warnings
    assert "damaged packets were skipped" in warning


def test_junk_between_the_frames_is_not_damage_if_all_frames_exist() -> None:
    assert frame(RANDOM[:4]) is not None, "it should look like the start of another recording"
    middle = frames_of(BARE)[50]
    channels, media = decoded(BARE[:middle] + RANDOM + BARE[middle:])
    assert np.array_equal(channels, PLAIN)
    assert media.warnings == ()


def test_a_recording_that_was_cut_off_behind_damage_is_not_filled_up() -> None:
    """The declared number then says nothing about the damage."""
    start, end = len(BARE) // 4, len(BARE) // 2
    _, media = decoded(BARE[:start] + bytes(600) + BARE[start + 600 : end])
    assert media.duration_sec == pytest.approx(2.0, abs=0.1)
    assert [warning.split()[-2] for warning in media.warnings if "declares" in warning] == [f"{media.duration_sec:.1f}"]


@pytest.mark.parametrize("codec", ["mp3", "mp2"])
@pytest.mark.parametrize("hole", HOLES)
def test_damaged_frames_in_a_wav_keep_the_time_as_well(codec: str, hole: str) -> None:
    content = encoded(SOUND, codec=codec, container="wav")
    whole, whole_media = decoded(content)
    start, length = len(content) * 2 // 5, len(content) // 6
    channels, media = decoded(content[:start] + HOLES[hole](length) + content[start + length :])
    assert (media.container, media.codec) == ("wav", whole_media.codec)
    assert media.duration_sec == pytest.approx(whole_media.duration_sec, abs=0.04)
    assert np.abs(channels[0, -RATE:] - whole[0, -RATE:]).max() < 0.02
    assert whole_media.warnings == ()
    (warning,) = media.warnings
    assert "damaged packets were skipped" in warning


@pytest.mark.parametrize("content", [BARE, UNCOUNTED], ids=["counted", "uncounted"])
@pytest.mark.parametrize("mask", [0x10, 0x20, 0x80, 0x02, 0x0C])
def test_a_wrong_bit_in_a_header_costs_one_frame_and_no_time(content: bytes, mask: int) -> None:
    """It changes the length of the frame, its padding or its sample rate."""
    damaged = bytearray(content)
    for at in frames_of(content)[30:80:10]:
        damaged[at + 2] ^= mask
    whole = decoded(content)[0]
    channels, media = decoded(bytes(damaged))
    assert media.duration_sec == pytest.approx(whole.shape[1] / RATE, abs=0.02)
    assert np.abs(channels[0, -RATE:] - whole[0, -RATE:]).max() < 0.02


def test_missing_frames_count_as_missing_and_not_as_damaged() -> None:
    _, media = decoded(BARE[: len(BARE) // 2])
    (warning,) = media.warnings
    assert re.fullmatch(r"The file declares a length of 4\.0 s but contains (1\.9|2\.0) s\.", warning)
    assert decoded(UNCOUNTED[: len(UNCOUNTED) // 2])[1].warnings == ()


def test_a_missing_frame_count_declares_nothing() -> None:
    slow = encoded(SOUND, codec="mp3", container="mp3", options={"write_xing": "0"})
    mentioned = b"ID3\x03\0\0\0\0\x01\x48" + b"Info about this recording".ljust(200, b"\0") + UNCOUNTED
    for content in (slow, mentioned):
        assert decoded(content[: len(content) // 2])[1].warnings == ()


def silent_frames(header: bytes, count: int) -> bytes:
    found = frame(header)
    assert found is not None
    return header.ljust(found.n_bytes, b"\0") * count


@pytest.mark.parametrize(
    ("header", "codec", "duration_sec"),
    [
        (b"\xff\xff\x44\xc0", "mp1", 100 * 384 / 48_000),
        (b"\xff\xfd\x44\xc0", "mp2", 100 * 1152 / 48_000),
        (b"\xff\xf5\x48\xc0", "mp2", 100 * 1152 / 16_000),
        (b"\xff\xe3\x48\xc0", "mp3float", 100 * 576 / 8_000),
    ],
    ids=["layer I", "layer II", "layer II of MPEG-2", "layer III of MPEG-2.5"],
)
def test_all_layers_and_versions_are_read(header: bytes, codec: str, duration_sec: float) -> None:
    channels, media = decoded(silent_frames(header, 100))
    assert media.codec.removesuffix("float") == codec.removesuffix("float")
    assert media.duration_sec == pytest.approx(duration_sec, abs=0.1)
    assert not channels.any()


def test_layer_ii_under_the_name_of_an_mp3_is_decoded() -> None:
    content = encoded(tone(2.0, 500, rate=24_000), codec="mp2", container="mp2", rate=24_000)
    channels, media = decoded(content)
    assert media.duration_sec == pytest.approx(2.0, abs=0.1)
    assert int(np.argmax(np.abs(np.fft.rfft(channels[0, 4_000:20_000])))) == 500


@pytest.mark.parametrize("lead", [id3(3000), id3(2**21), ape(bytes(6000)), id3(100) + bytes(500)])
def test_a_tag_in_front_of_another_format_is_passed_over(lead: bytes) -> None:
    assert decoded(lead + wav(SOUND))[1] == decoded(wav(SOUND))[1]


def test_a_tag_in_front_of_an_m4a_is_passed_over() -> None:
    m4a = encoded(SOUND, codec="aac", container="ipod")
    assert np.array_equal(decoded(id3(3000) + m4a)[0], decoded(m4a)[0])


STRANGERS = {
    "an AVI with MP3 in it": b"RIFF\0\0\1\0AVI LIST" + UNCOUNTED,
    "a page with MP3 behind it": b"<html>" + bytes(100) + UNCOUNTED,
    "random bytes": np.random.default_rng(3).bytes(200_000),
    "zeros": bytes(200_000),
    "many headers, none of which is followed by another": b"\xff\xfb\x90\x00abc" * 20_000,
}


@pytest.mark.parametrize("name", STRANGERS)
def test_data_that_is_not_mp3_is_not_recognized_as_mp3(name: str) -> None:
    with pytest.raises(UnsupportedMedia):
        decoded(STRANGERS[name])


def test_a_tag_with_nothing_behind_it_is_a_damaged_mp3() -> None:
    for content in (id3(3000), id3(3000) + RANDOM, b"ID3\x03\0\0\x7f\x7f\x7f\x7f"):
        with pytest.raises(CorruptMedia, match="MP3 structure"):
            decoded(content)


def test_after_too_much_garbage_the_search_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp3_walk, "MAX_JUNK_BYTES", 50_000)
    rubbish = np.random.default_rng(4).bytes(100_000)
    _, media = decoded(UNCOUNTED + rubbish + UNCOUNTED)
    assert media.duration_sec == pytest.approx(4.0, abs=0.15)
    (warning,) = media.warnings
    assert "the rest was skipped" in warning


def test_every_cut_and_every_splice_ends_in_a_recording_or_a_refusal() -> None:
    dice = np.random.default_rng(5)
    for _ in range(50):
        start, end, hole = sorted(int(number) for number in dice.integers(0, len(TAGGED), 3))
        content = TAGGED[start:end] + TAGGED[hole:] + dice.bytes(int(dice.integers(0, 3)) * 400) + BARE[start:]
        try:
            _, media = decoded(content)
        except MediaError:
            continue
        assert media.duration_sec < 12.0
