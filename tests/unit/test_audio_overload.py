"""Samples far beyond full scale are attenuated in every container, and ordinary peaks do not determine the level."""

from __future__ import annotations

import io
from typing import cast

import av
import numpy as np
import pytest
from av.audio.format import AudioFormat
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from batchscribe.audio.channels import Channels
from batchscribe.audio.file_view import RemoteFile
from batchscribe.audio.loudness import Overload
from batchscribe.audio.track import AudioTrack
from batchscribe.input_formats import ALL_NAMES
from batchscribe.window import SAMPLE_RATE
from tests.audio_files import Bytes, encoded, noise, tone

#: float32[n_samples], peaks of 0.32: a quiet second, a loud one, a pause, a loud one
SPEECH: NDArray[np.float32] = (tone(4.0, 200)[:, 0] * np.repeat([0.1, 1.0, 0.0, 1.0], SAMPLE_RATE) / 32768).astype(
    np.float32
)


def floats(samples: NDArray[np.float32], *, codec: str, container: str) -> bytes:
    """Encoded as they are, however loud."""
    file = io.BytesIO()
    with av.open(file, mode="w", format=container) as output:
        stream = cast("AudioStream", output.add_stream(codec, rate=SAMPLE_RATE, layout="mono"))
        if codec == "mp3":
            stream.codec_context.format = AudioFormat("fltp")
        for start in range(0, len(samples), SAMPLE_RATE):
            block = np.ascontiguousarray(samples[start : start + SAMPLE_RATE]).reshape(1, -1)
            frame = AudioFrame.from_ndarray(block, format="flt", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def decoded(content: bytes) -> tuple[Channels, tuple[str, ...]]:
    source = Bytes(content)
    track = AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=False, max_sec=60.0)
    channels = np.concatenate(list(track.blocks(lambda: None)), axis=1)
    warnings = track.media.warnings
    track.close()
    return channels, warnings


@pytest.mark.parametrize(("codec", "container"), [("pcm_f32le", "mov"), ("pcm_f64le", "mov"), ("mp3", "mp3")])
@pytest.mark.parametrize("peak", [5.0, 8.0])
def test_a_recording_far_beyond_full_scale_keeps_its_shape(codec: str, container: str, peak: float) -> None:
    loud = SPEECH * np.float32(peak / np.abs(SPEECH).max())
    channels, (warning,) = decoded(floats(loud, codec=codec, container=container))
    last_second = slice(3 * SAMPLE_RATE + 2000, 4 * SAMPLE_RATE - 2000)
    assert np.corrcoef(channels[0, last_second], SPEECH[last_second])[0, 1] > 0.99
    assert warning.endswith("dB above full scale and was attenuated.")
    assert float(warning.split()[3]) == pytest.approx(20 * np.log10(peak), abs=1.0)


def test_ordinary_peaks_change_nothing() -> None:
    loud = SPEECH * np.float32(1.9 / np.abs(SPEECH).max())
    channels, warnings = decoded(floats(loud, codec="pcm_f32le", container="mov"))
    assert np.array_equal(channels[0], np.clip(loud, -1.0, 1.0))
    assert warnings == ()


def test_clicks_change_nothing() -> None:
    damaged = SPEECH.copy()
    damaged[5_000:5_100] = 1e30
    channels, warnings = decoded(floats(damaged, codec="pcm_f32le", container="mov"))
    assert np.array_equal(channels[0, 5_100:], SPEECH[5_100:])
    assert warnings == ()


LOUD = (noise(1.0).T / 32768).astype(np.float32) * np.float32(1e4)
QUIET = LOUD / np.float32(1e4)


@pytest.mark.parametrize("burst_sec", [1, 3, 6])
def test_a_burst_silences_nothing_behind_it(burst_sec: int) -> None:
    overload = Overload()
    for _ in range(25):
        overload.attenuate(QUIET)
    for _ in range(burst_sec):
        assert np.abs(overload.attenuate(LOUD)).max() < 10.0
    assert all(np.array_equal(overload.attenuate(QUIET), QUIET) for _ in range(40))
    assert overload.lasting == 1.0


def test_a_burst_at_the_start_silences_nothing_behind_it() -> None:
    overload = Overload()
    overload.attenuate(LOUD)
    assert all(np.array_equal(overload.attenuate(QUIET), QUIET) for _ in range(5))


@pytest.mark.parametrize("before", [2, 10, 100])
def test_a_pause_between_loud_sentences_stays_quiet(before: int) -> None:
    overload = Overload()
    for _ in range(before):
        overload.attenuate(LOUD)
    pause = LOUD / np.float32(100)
    assert np.abs(overload.attenuate(pause)).max() < 0.1
    assert overload.lasting == pytest.approx(np.quantile(np.abs(LOUD), 0.999), rel=0.1)


def test_damaged_packets_do_not_silence_the_rest_of_a_recording() -> None:
    sound = tone(20.0, 300, rate=48_000) // 4
    content = encoded(sound, codec="libopus", container="mp4", rate=48_000)
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    length = (end - start) // 10
    damaged = content[:start] + np.random.default_rng(9).bytes(length) + content[start + length :]
    channels, warnings = decoded(damaged)
    for second in range(3, 20):
        heard = channels[0, second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE - 1000]
        assert np.abs(heard).max() == pytest.approx(2000 / 32768, rel=0.2)
    assert not any("full scale" in warning for warning in warnings)
