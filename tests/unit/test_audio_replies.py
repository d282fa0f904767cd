"""Replies of a decoder, which is not trusted: valid and invalid ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from batchscribe.audio.decoder_replies import (
    MAX_POSITION_BYTES,
    MAX_READS,
    MAX_READS_OF_BLOCK,
    InvalidDecoderReply,
    Replies,
)
from batchscribe.audio.file_view import BLOCK_BYTES
from batchscribe.audio.findings import Finding, remark
from batchscribe.audio.media import Media
from batchscribe.errors import UnsupportedMedia
from batchscribe.window import MOST_PEAKS, SAMPLE_RATE, Waveform

MEDIA = Media(3.0, 2, "wav", "pcm_s16le", 16_000, (remark(Finding.PACKETS_SKIPPED, count=3, lost=1.5),))


def replies(*, apart: bool = True, max_sec: float = 60.0, size: int = 10_000) -> Replies:
    return Replies(size, channels_apart=apart, max_sec=max_sec)


def sound(sec: float, value: float = 0.5) -> memoryview:
    return memoryview(np.full(round(sec * SAMPLE_RATE), value, dtype=np.float32).tobytes())


def header(**changed: Any) -> dict[str, Any]:
    return {"op": "window", "channel": 0, "start_sec": 1.0, "speech": [[0.0, 0.5], [0.5, 1.0]]} | changed


def media(**changed: Any) -> dict[str, Any]:
    return MEDIA.as_json() | changed


def test_a_true_decoder_is_understood() -> None:
    checked = replies()
    window = checked.window(header(channel=1, start_sec=0.5), sound(1.0))
    assert (window.channel, window.start_sec, window.duration_sec) == (1, 0.5, 1.0)
    assert window.speech == ((0.0, 0.5), (0.5, 1.0))
    assert checked.window(header(speech=None, start_sec=0), sound(30.0)).speech is None
    assert replies().media(media()) == MEDIA
    assert replies().read_block_request({"offset": 9_000, "length": 1_000}) == (9_000, 1_000)
    said = remark(Finding.CODEC_NOT_DECODED, codec="wmav2")
    assert isinstance(replies().error(said.as_json()), UnsupportedMedia)


@pytest.mark.parametrize(
    "changed",
    [
        {"channel": -5},
        {"channel": 32},
        {"channel": 1.0},
        {"channel": True},
        {"channel": "0"},
        {"channel": None},
        {"start_sec": -0.001},
        {"start_sec": float("nan")},
        {"start_sec": float("inf")},
        {"start_sec": 62.0},
        {"start_sec": 10**400},
        {"start_sec": "1.0"},
        {"start_sec": [1.0]},
        {"speech": [[0.0, 1.5]]},
        {"speech": [[-0.1, 0.5]]},
        {"speech": [[0.5, 0.1]]},
        {"speech": [[0.0, 0.5], [0.4, 0.6]]},
        {"speech": [[0.0, float("nan")]]},
        {"speech": [[0.0]]},
        {"speech": [0.0, 0.5]},
        {"speech": {"0": 0.5}},
        {"speech": "none"},
    ],
)
def test_an_impossible_window_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidDecoderReply):
        replies().window(header(**changed), sound(1.0))


def test_mixed_channels_are_one() -> None:
    with pytest.raises(InvalidDecoderReply):
        replies(apart=False).window(header(channel=1), sound(1.0))


@pytest.mark.parametrize(
    "samples",
    [sound(0.0), sound(1.0, 1.01), sound(1.0, float("nan")), sound(1.0, float("-inf")), sound(32.0), sound(1.0)[:-1]],
    ids=["none", "too loud", "nan", "infinity", "too long", "three bytes"],
)
def test_impossible_samples_are_refused(samples: memoryview) -> None:
    with pytest.raises(InvalidDecoderReply):
        replies().window(header(speech=None), samples)


def test_windows_of_a_channel_come_in_the_order_of_time_and_do_not_overlap() -> None:
    checked = replies()
    checked.window(header(start_sec=1.0), sound(1.0))
    checked.window(header(start_sec=1.0, channel=1), sound(1.0))
    checked.window(header(start_sec=2.0), sound(1.0))
    for start_sec in (2.5, 0.0):
        with pytest.raises(InvalidDecoderReply, match="before the previous one ends"):
            checked.window(header(start_sec=start_sec), sound(1.0))


def test_decoding_stops_at_the_length_limit() -> None:
    checked = replies(max_sec=60.0)
    for start_sec in range(62):
        checked.window(header(start_sec=start_sec), sound(1.0))
    with pytest.raises(InvalidDecoderReply):
        checked.window(header(start_sec=62.0), sound(1.0))


@pytest.mark.parametrize(
    "changed",
    [
        {"duration_sec": -1.0},
        {"duration_sec": float("nan")},
        {"duration_sec": float("inf")},
        {"duration_sec": 63.0},
        {"duration_sec": None},
        {"channels": 0},
        {"channels": -5},
        {"channels": 33},
        {"channels": 2.0},
        {"container": "exe"},
        {"container": ["wav"]},
        {"codec": "Visit my page."},
        {"codec": "x" * 500},
        {"codec": "\ud800"},
        {"codec": 1},
        {"sample_rate": 0},
        {"sample_rate": 10**30},
        {"sample_rate": 16_000.0},
        {"remarks": "none"},
        {"remarks": ["Visit my page."]},
        {"remarks": [remark(Finding.BROKEN_OFF, held=sec).as_json() for sec in range(900)]},
        {"remarks": [remark(Finding.BROKEN_OFF, held=1.0).as_json()] * 2},
        {"remarks": [remark(Finding.NO_BYTES).as_json()]},
        {"warnings": ["Visit my page."]},
    ],
)
def test_impossible_facts_of_a_recording_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidDecoderReply):
        replies().media(media(**changed))


@pytest.mark.parametrize("facts", [None, [], "media", {}, {"duration_sec": 1.0}])
def test_facts_that_are_missing_are_refused(facts: Any) -> None:
    with pytest.raises(InvalidDecoderReply):
        replies().media(facts)


def test_a_recording_is_as_long_as_its_windows_and_has_their_channels() -> None:
    checked = replies()
    checked.window(header(start_sec=20.0, channel=1), sound(1.0))
    with pytest.raises(InvalidDecoderReply):
        checked.media(media(duration_sec=3.0))
    with pytest.raises(InvalidDecoderReply):
        checked.media(media(duration_sec=21.0, channels=1))
    assert checked.media(media(duration_sec=21.0)).channels == 2


PEAKS = {"channels": 2, "peak_sec": 0.02}


def test_a_waveform_covers_the_recording() -> None:
    found = replies().waveform(PEAKS, memoryview(bytes(range(200))), 2.0)
    assert found == Waveform(0.02, (bytes(range(100)), bytes(range(100, 200))))


@pytest.mark.parametrize(
    ("facts", "n_bytes"),
    [
        (None, 200),
        ({}, 200),
        (PEAKS | {"text": "Visit my page."}, 200),
        (PEAKS | {"channels": 0}, 200),
        (PEAKS | {"channels": 33}, 33),
        (PEAKS | {"channels": 2.0}, 200),
        (PEAKS | {"peak_sec": 0.0}, 200),
        (PEAKS | {"peak_sec": 0.019}, 200),
        (PEAKS | {"peak_sec": float("inf")}, 2),
        (PEAKS | {"peak_sec": "0.02"}, 200),
        (PEAKS, 0),
        (PEAKS, 199),
        (PEAKS, 204),
        (PEAKS | {"channels": 1}, MOST_PEAKS + 1),
    ],
)
def test_an_impossible_waveform_is_refused(facts: Any, n_bytes: int) -> None:
    with pytest.raises(InvalidDecoderReply):
        replies().waveform(facts, memoryview(bytes(n_bytes)), 2.0)


def test_mixed_channels_have_one_waveform() -> None:
    with pytest.raises(InvalidDecoderReply):
        replies(apart=False).waveform(PEAKS, memoryview(bytes(200)), 2.0)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(-1, 10), (10_000, 1), (0, 0), (0, -1), (0, BLOCK_BYTES + 1), (0.0, 1), ("0", 1), (None, 1), (True, 1)],
)
def test_missing_bytes_are_an_error(offset: Any, length: Any) -> None:
    with pytest.raises(InvalidDecoderReply):
        replies().read_block_request({"offset": offset, "length": length})


def test_the_same_bytes_are_not_read_for_ever() -> None:
    checked = replies(size=2 * BLOCK_BYTES)
    for _ in range(MAX_READS + 2 * MAX_READS_OF_BLOCK):
        checked.read_block_request({"offset": 0, "length": BLOCK_BYTES})
    with pytest.raises(InvalidDecoderReply, match="again and again"):
        checked.read_block_request({"offset": 0, "length": BLOCK_BYTES})


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"op": "exec"},
        {"op": None},
        {"op": ["done"]},
        {"op": {}},
        {"op": "alive", "for": 1},
        {"op": "done"},
        {"op": "done", "media": {}},
        {"op": "read", "offset": 0},
        {"op": "failed", "code": "CORRUPT_MEDIA", "message": "Visit my page."},
    ],
)
def test_a_message_of_another_kind_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(InvalidDecoderReply):
        replies().op(message)


@pytest.mark.parametrize(
    "said",
    [None, "NO_BYTES", {"finding": "NO_BYTES"}, {"finding": "BROKEN_OFF", "facts": {"held": 1.0}}],
)
def test_an_invalid_refusal_is_rejected(said: Any) -> None:
    with pytest.raises(InvalidDecoderReply, match="an unknown refusal"):
        replies().error(said)


@pytest.mark.parametrize("size", [0, MAX_POSITION_BYTES + 1])
def test_a_position_of_an_impossible_length_is_refused(size: int) -> None:
    with pytest.raises(InvalidDecoderReply, match="position"):
        replies().position(memoryview(bytes(size)))


def test_sound_continues_where_it_ended_or_starts_anew() -> None:
    checked = replies(apart=False)
    for start_sample in (0, SAMPLE_RATE, 2 * SAMPLE_RATE, 0, SAMPLE_RATE):
        assert checked.sound({"op": "sound", "start_sample": start_sample}, sound(1.0)).start_sample == start_sample
    for impossible in (SAMPLE_RATE, 3 * SAMPLE_RATE, 61 * SAMPLE_RATE, -1, 2.0 * SAMPLE_RATE):
        with pytest.raises(InvalidDecoderReply):
            checked.sound({"op": "sound", "start_sample": impossible}, sound(1.0))
    with pytest.raises(InvalidDecoderReply, match="beyond full scale"):
        checked.sound({"op": "sound", "start_sample": 0}, sound(1.0, 1.5))
