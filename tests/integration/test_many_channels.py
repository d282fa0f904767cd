"""Frames whose number of channels is not that of the header."""

from __future__ import annotations

import base64
import io
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.packet import Packet

from batchscribe.audio.decode_limits import MAX_CHANNELS, DecodeLimits
from batchscribe.audio.decoder import DecoderPool
from batchscribe.errors import CorruptMedia
from tests.audio_files import Bytes, encoded, tone
from tests.unit.test_audio_timeline import heard

#: Two damaged packets of a mono AAC recording, which FFmpeg decodes as 38 channels.
_FIRST = (
    "3gIATGF2YzYyLjI4LjEwMgACLKtb6gQ9IwdHYVZfzx1Il0ZKkkxJkZx7o/R8I//9pKUA7ei57tk7SX+hbovMthg/r5Ykh5GCgkuCRhvJTpZGbaJY"
    "WKRkaGZolo4Enn1kNdw4hxlhAGKszBSZLoXG52pkaIiSHkYayTykTsx84iRmPnERnJIARIEkMV2lzsGzTZ2FZpMCARKHHxSIhWcUiANjE/W/vvvP"
    "2b5X6l8b694L3l2D1V3TyVxbyVxbt7bdu13Ktdyredu23Xsp16w3Kw1qs2K42K42K41rG3Kw3Kw3LG3K44642K42LQcdjbljblYblGvz6/Psc+vz"
    "6/Pr8+wymGfX59fn1+hX59fn1+fYZ9hn1+fX5aqWrlq5auWrlq5auWrlq5auWrlq5auWrlq5auWlOCnBRLklyS5JcuClq6UuWrlstbLWy1suKKKK"
    "KKKKKKKKKKKKKKKKKKKKKKKWeWeWeWeWeWeWeWeWeWeWeWeWeWch5D8Sk/LnjAh5Y8Wk/LvjIh5a8ZE/LXjIh5c8bE/LHjMh5c8cE/K/jYh5a8ck"
    "/LvkMh5b8tE/FniYh5R8bk/JfjQh5P8cE/J3jkh5N8ck/Jvjsh5M8dk/Jnjwh5K8dk/Jfj4h5E8aE/JvjQh5a8lk/I/kEh5M8g=="
)
_SECOND = "RKEByH7LCoBwYbZbpL0PW3Fpyp/f/vXtNXertuXP/H/j/3+tTq7u0p//F/2/"
DAMAGED = (_FIRST, _SECOND)


def with_damage(n_sound: int) -> bytes:
    """A Matroska file of `n_sound` packets of a tone, and the damaged ones after them."""
    file = io.BytesIO()
    with av.open(io.BytesIO(encoded(tone(2.0, 440), codec="aac", container="matroska")), mode="r") as source:
        (track,) = source.streams.audio
        packets = [bytes(packet) for packet in source.demux(track) if packet.size]
        with av.open(file, mode="w", format="matroska") as output:
            stream = output.add_stream_from_template(track)
            for number, content in enumerate([*packets[:n_sound], *map(base64.b64decode, DAMAGED)]):
                packet = cast("Packet[AudioStream]", Packet(content))
                packet.stream, packet.time_base = stream, Fraction(1, 1000)
                packet.pts = packet.dts = number * 64
                output.mux(packet)
    return file.getvalue()


def test_the_damaged_packets_have_too_many_channels() -> None:
    found = 0
    with av.open(io.BytesIO(with_damage(0)), mode="r") as container:
        for packet in container.demux(audio=0):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            found = max([found, *(frame.layout.nb_channels for frame in frames)])
    assert found > MAX_CHANNELS


@pytest.mark.parametrize("apart", [True, False])
def test_a_frame_with_more_channels_than_any_recording_is_damage(apart: bool) -> None:
    with DecoderPool(1, DecodeLimits()) as pool:
        for content, is_readable in ((with_damage(20), True), (with_damage(1), False)):
            with pool.decode(Bytes(content), channels_apart=apart, segmentation="none", window_sec=0.0) as decoding:
                if not is_readable:
                    with pytest.raises(CorruptMedia, match="none of its packets can be decoded"):
                        list(decoding.windows())
                    continue
                (window,) = decoding.windows()
                assert decoding.media.channels == 1
                assert float(np.max(np.abs(window.samples))) > 0.1


@pytest.mark.parametrize("apart", [True, False])
def test_a_recording_has_the_channels_of_its_sound(apart: bool) -> None:
    sides = np.concatenate([tone(2.0, 300), tone(2.0, 700)], axis=1)
    channels, media = heard(encoded(sides, codec="aac", container="matroska"), apart=apart)
    assert (media.channels, len(channels)) == (2, 2 if apart else 1)
