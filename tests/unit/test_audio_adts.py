"""AAC without a container: no length, no index, no timestamps."""

from __future__ import annotations

import numpy as np
import pytest

from batchscribe.errors import DecodeLimitExceeded
from tests.audio_files import encoded, noise
from tests.unit.test_audio_timeline import BEEPS_SEC, beeps, heard, onsets_sec

RATES = [16_000, 44_100]


def adts(rate: int = 44_100) -> bytes:
    return encoded(beeps(rate), codec="aac", container="adts", rate=rate)


@pytest.mark.parametrize("rate", RATES)
def test_times_are_those_of_a_player_with_the_delay_of_the_encoder(rate: int) -> None:
    channels, media = heard(adts(rate))
    delay_sec = 1024 / rate
    assert onsets_sec(channels[0]) == pytest.approx([delay_sec + sec for sec in BEEPS_SEC], abs=0.005)
    assert media.duration_sec == pytest.approx(8.0 + delay_sec, abs=0.05)
    assert (media.container, media.codec, media.warnings) == ("aac", "aac", ())


def test_an_uneven_bit_rate_announces_no_length() -> None:
    """FFmpeg guesses the length by the bit rate of the first frames."""
    sound = np.concatenate([np.zeros((20 * 44_100, 1), np.int16), noise(20.0, rate=44_100) * 8])
    for content in (sound, sound[::-1]):
        _, media = heard(encoded(content, codec="aac", container="adts", rate=44_100))
        assert media.duration_sec == pytest.approx(40.0, abs=0.1)
        assert media.warnings == ()


@pytest.mark.parametrize("before", [b"ID3\x04\0\0\0\0\0\x0a" + bytes(10), bytes(700), b"junk" * 20])
def test_nothing_in_front_moves_the_times(before: bytes) -> None:
    assert onsets_sec(heard(before + adts())[0][0]) == pytest.approx(onsets_sec(heard(adts())[0][0]), abs=0.001)


def test_a_tag_at_the_end_is_not_sound() -> None:
    content = adts()
    assert heard(content + b"TAG" + b"x" * 125)[1] == heard(content)[1]


def test_joined_recordings_are_decoded_in_order() -> None:
    channels, media = heard(adts() + adts())
    length_sec = heard(adts())[1].duration_sec
    found = onsets_sec(heard(adts())[0][0])
    assert onsets_sec(channels[0]) == pytest.approx([*found, *(length_sec + sec for sec in found)], abs=0.005)
    assert media.warnings == ()


def test_a_recording_that_was_cut_off_is_decoded_up_to_its_last_frame() -> None:
    content = adts()
    channels, media = heard(content[: len(content) // 2])
    assert onsets_sec(channels[0])[:2] == pytest.approx([1.023, 3.023], abs=0.005)
    assert media.duration_sec > 3.5


def test_the_limit_holds_without_a_length() -> None:
    with pytest.raises(DecodeLimitExceeded, match=r"longer than 7\.5 s"):
        heard(adts(), max_sec=7.5)
