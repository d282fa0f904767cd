"""Ogg files of several links, and damaged ones."""

from __future__ import annotations

from functools import cache, partial
from itertools import pairwise

import numpy as np
import pytest

from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.ogg_links import OggLinks
from batchscribe.errors import CorruptMedia, NoAudioTrack
from tests.audio_files import Bytes, encoded
from tests.audio_videos import video, vorbis
from tests.unit.test_audio_timeline import BEEPS_SEC, beeps, heard, onsets_sec


@cache  # each file gets a random number
def opus(channels: int = 1) -> bytes:
    return encoded(np.repeat(beeps(48_000), channels, axis=1), codec="libopus", container="ogg", rate=48_000)


@cache
def flac(rate: int = 16_000) -> bytes:
    return encoded(beeps(rate), codec="flac", container="ogg", rate=rate)


def pages(content: bytes) -> list[bytes]:
    starts = [at for at in range(len(content)) if content.startswith(b"OggS\0", at)]
    return [content[start:end] for start, end in pairwise([*starts, len(content)])]


def links_of(content: bytes) -> list[bytes]:
    source = Bytes(content)
    file = RemoteFile(source.size, source.read)
    return [b"".join(iter(partial(link.read, 1000), b"")) for link in OggLinks(file, 0).recordings()]


CHAINS = {
    "mono, stereo": (opus(), opus(2)),
    "stereo, mono": (opus(2), opus()),
    "16 kHz, 44.1 kHz": (flac(), flac(44_100)),
    "Opus, FLAC, Vorbis": (opus(), flac(), vorbis(beeps(44_100), container="ogg", rate=44_100)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_links_with_different_sound_are_decoded_in_order(name: str) -> None:
    links = CHAINS[name]
    assert links_of(b"".join(links)) == list(links)
    channels, media = heard(b"".join(links))
    expected = [8 * number + sec for number in range(len(links)) for sec in BEEPS_SEC]
    assert onsets_sec(channels[0]) == pytest.approx(expected, abs=0.03)
    assert media.duration_sec == pytest.approx(8.0 * len(links), abs=0.05)
    assert [warning for warning in media.warnings if "channels" not in warning] == []


def test_each_link_may_be_cut_from_a_running_stream() -> None:
    late = encoded(beeps(48_000), codec="libopus", container="ogg", rate=48_000, moved=lambda sec: sec + 3000.0)
    channels, media = heard(late + late)
    assert onsets_sec(channels[0]) == pytest.approx([*BEEPS_SEC, *(8 + sec for sec in BEEPS_SEC)], abs=0.03)
    assert media.warnings == ()


@pytest.mark.parametrize(
    "junk", [b"junk", bytes(70_000), b"Ogg" * 1000 + b"OggS"], ids=["short", "zeros", "a false page"]
)
def test_junk_between_links_belongs_to_the_first_and_is_skipped(junk: bytes) -> None:
    content = opus() + junk + opus(2)
    assert links_of(content) == [opus() + junk, opus(2)]
    channels, _ = heard(content)
    assert onsets_sec(channels[0]) == pytest.approx([*BEEPS_SEC, *(8 + sec for sec in BEEPS_SEC)], abs=0.03)


def test_a_damaged_flag_begins_no_link() -> None:
    found = pages(opus())
    damaged = bytearray(b"".join(found[:3]))
    flags_at = len(found[0]) + len(found[1]) + 5
    damaged[flags_at] |= 2
    content = bytes(damaged) + b"".join(found[3:])
    assert links_of(content) == [content]


def test_a_stream_of_an_unknown_kind_stays_in_its_link() -> None:
    unknown = pages(flac())[0].replace(b"\x7fFLAC", b"\x80kate")
    for content in (unknown + opus(), pages(opus())[0] + unknown + b"".join(pages(opus())[1:])):
        assert links_of(content) == [content]
        assert links_of(opus(2) + content)[0] in (opus(2), opus(2) + unknown)
        assert b"".join(links_of(opus(2) + content)) == opus(2) + content


def test_a_file_without_its_first_page_is_decoded_from_its_second_link_on() -> None:
    rest = b"".join(pages(opus())[1:])
    assert links_of(rest + opus(2)) == [opus(2)]
    channels, _ = heard(rest + opus(2))
    assert onsets_sec(channels[0]) == pytest.approx(BEEPS_SEC, abs=0.03)


def test_a_file_without_the_begin_of_a_stream_is_damaged() -> None:
    with pytest.raises(CorruptMedia, match="its Ogg structure cannot be read"):
        heard(b"".join(pages(opus())[1:]))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_decoded_up_to_there(share: float) -> None:
    content = opus() + opus(2)
    channels, media = heard(content[: round(len(content) * share)])
    assert onsets_sec(channels[0])[:1] == pytest.approx([1.0], abs=0.01)
    assert media.duration_sec > 3.0


def test_damage_loses_no_byte_behind_the_first_page() -> None:
    dice = np.random.default_rng(5)
    content = opus() + flac()
    for _ in range(200):
        damaged = bytearray(content)
        for at in dice.integers(len(pages(content)[0]), len(content), 30):
            damaged[int(at)] = int(dice.integers(256))
        assert b"".join(links_of(bytes(damaged))) == bytes(damaged)


def test_only_the_sound_of_a_video_is_decoded_and_without_sound_it_has_the_error_of_an_mp4() -> None:
    content = video(beeps(48_000), container="ogg")
    assert links_of(content + content) == [content, content]
    channels, media = heard(content)
    assert onsets_sec(channels[0]) == pytest.approx(BEEPS_SEC, abs=0.01)
    assert media.warnings == ()
    with pytest.raises(NoAudioTrack, match="The file has no audio track"):
        heard(video(None, container="ogg", duration_sec=2.0))
