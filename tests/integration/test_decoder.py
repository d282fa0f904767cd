"""Bytes in, windows out, through a real decoder process."""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from batchscribe.audio.decode_limits import DecodeLimits
from batchscribe.audio.decoder import ByteSource, DecoderPool, Media, Segmentation
from batchscribe.errors import (
    CorruptMedia,
    DecodeLimitExceeded,
    EmptyRecording,
    MediaError,
    NoAudioTrack,
    UnsupportedMedia,
)
from batchscribe.input_formats import ALL_NAMES
from batchscribe.window import SAMPLE_RATE, Window
from tests.audio_files import Bytes, EndlessWav, encoded, noise, samples_of, tone, wav, wav_header
from tests.audio_videos import video, with_companions


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(2, DecodeLimits()) as opened:
        yield opened


def decoded(
    pool: DecoderPool,
    source: ByteSource,
    *,
    channels_apart: bool = False,
    segmentation: Segmentation = "none",
    window_sec: float = 0.0,
) -> tuple[list[Window], Media]:
    with pool.decode(
        source, channels_apart=channels_apart, segmentation=segmentation, window_sec=window_sec
    ) as decoding:
        return list(decoding.windows()), decoding.media


CONTAINERS = {
    "16-bit WAV": ("pcm_s16le", "wav", {}),
    "24-bit WAV": ("pcm_s24le", "wav", {}),
    "float WAV": ("pcm_f32le", "wav", {}),
    "mu-law WAV": ("pcm_mulaw", "wav", {}),
    "A-law WAV": ("pcm_alaw", "wav", {}),
    "8-bit WAV": ("pcm_u8", "wav", {}),
    "RF64": ("pcm_s16le", "wav", {"rf64": "always"}),
    "W64": ("pcm_s16le", "w64", {}),
    "MP3": ("mp3", "mp3", {}),
    "M4A": ("aac", "ipod", {}),
    "ALAC": ("alac", "ipod", {}),
    "MP4": ("aac", "mp4", {}),
    "fragmented MP4": ("aac", "mp4", {"movflags": "frag_keyframe+empty_moov"}),
    "FLAC": ("flac", "flac", {}),
    "FLAC in Ogg": ("flac", "ogg", {}),
    "FLAC in Matroska": ("flac", "matroska", {}),
    "AAC": ("aac", "adts", {}),
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_a_tone_comes_out_of_every_container_with_its_length_and_pitch(pool: DecoderPool, name: str, rate: int) -> None:
    codec, container, options = CONTAINERS[name]
    content = encoded(tone(2.0, 440, rate=rate), codec=codec, container=container, rate=rate, options=options)
    (window,), media = decoded(pool, Bytes(content))
    assert media.duration_sec == pytest.approx(2.0, abs=0.3)  # AAC adds a frame of 1,024 samples and more
    assert (media.channels, media.sample_rate, media.warnings) == (1, rate, ())
    spectrum = np.abs(np.fft.rfft(window.samples[8_000:24_000]))
    assert int(np.argmax(spectrum)) == 440


def test_streams_that_are_not_sound_need_nothing_that_the_confined_decoder_lacks(pool: DecoderPool) -> None:
    content = with_companions(tone(2.0, 440), rate=SAMPLE_RATE)
    with av.open(io.BytesIO(content)) as container:
        assert sorted(stream.type for stream in container.streams) == ["attachment", "audio", "subtitle", "video"]
    for recording in (content, video(tone(2.0, 440, rate=48_000)), video(tone(2.0, 440, rate=48_000), container="ogg")):
        (window,), media = decoded(pool, Bytes(recording))
        assert int(np.argmax(np.abs(np.fft.rfft(window.samples[8_000:24_000])))) == 440
        assert (media.channels, media.warnings) == (1, ())


@pytest.mark.parametrize("n_channels", [1, 2, 6, 8])
def test_each_channel_is_a_recording_of_its_own_when_kept_apart(pool: DecoderPool, n_channels: int) -> None:
    tones = np.concatenate([tone(1.0, 200 * (number + 1)) for number in range(n_channels)], axis=1)
    windows, media = decoded(pool, Bytes(wav(tones)), channels_apart=True)
    assert media.channels == n_channels
    assert [window.channel for window in windows] == list(range(n_channels))
    for window in windows:
        assert int(np.argmax(np.abs(np.fft.rfft(window.samples)))) == 200 * (window.channel + 1)


def test_eight_channels_of_aac_do_not_crash_the_decoder(pool: DecoderPool) -> None:
    content = encoded(noise(1.0, rate=48_000, channels=8), codec="aac", container="ipod", rate=48_000)
    windows, _ = decoded(pool, Bytes(content), channels_apart=True)
    assert len(windows) == 8
    assert len(decoded(pool, Bytes(content))[0]) == 1


def test_speech_is_found_and_silence_is_left_out(pool: DecoderPool, examples: Path) -> None:
    speech = (samples_of(examples / "weather.wav")[: 4 * SAMPLE_RATE] * 32767).astype(np.int16)
    silence = np.zeros(5 * SAMPLE_RATE, dtype=np.int16)
    content = wav(np.concatenate([silence, speech, silence])[:, np.newaxis])
    windows, media = decoded(pool, Bytes(content), segmentation="auto")
    assert media.duration_sec == 14.0
    assert windows
    assert windows[0].start_sec > 4.5
    assert windows[-1].start_sec + windows[-1].duration_sec < 10.0
    assert decoded(pool, Bytes(wav(noise(5.0))), segmentation="auto")[0] == []


def test_voices_on_two_channels_stay_where_they_are(pool: DecoderPool, examples: Path) -> None:
    speech = (samples_of(examples / "weather.wav")[: 4 * SAMPLE_RATE] * 32767).astype(np.int16)
    call = np.zeros((8 * SAMPLE_RATE, 2), dtype=np.int16)
    call[: len(speech), 0] = speech
    call[-len(speech) :, 1] = speech
    windows, _ = decoded(pool, Bytes(wav(call)), channels_apart=True, segmentation="auto", window_sec=30.0)
    assert {window.channel for window in windows if window.start_sec < 3.5} == {0}
    assert {window.channel for window in windows if window.start_sec > 3.5} == {1}


def short_sentences(examples: Path, count: int, pause_sec: float) -> bytes:
    """A WAV of sentences of two seconds."""
    speech = (samples_of(examples / "weather.wav") * 32767).astype(np.int16)
    pause = np.zeros(round(pause_sec * SAMPLE_RATE), dtype=np.int16)
    length = 2 * SAMPLE_RATE
    starts = [SAMPLE_RATE * number % (len(speech) - length) for number in range(count)]
    parts = [part for start in starts for part in (speech[start : start + length], pause)]
    return wav(np.concatenate(parts)[:, np.newaxis])


def test_short_sentences_with_short_pauses_fill_few_windows(pool: DecoderPool, examples: Path) -> None:
    """Pauses of 1.5 s separate the sentences, and eight of them fit into 30 s."""
    source = Bytes(short_sentences(examples, 24, pause_sec=1.5))
    single, _ = decoded(pool, source, segmentation="auto")
    filled, _ = decoded(pool, source, segmentation="auto", window_sec=30.0)
    assert len(single) >= 24
    assert 3 <= len(filled) <= 4
    assert speech_of(filled) == pytest.approx(speech_of(single), abs=0.001)
    for window in filled:
        assert window.duration_sec <= 30.0
        assert window.speech is not None
        edges = [0.0, *(edge for span in window.speech for edge in span), window.duration_sec]
        assert edges == sorted(edges)


def speech_of(windows: list[Window]) -> list[float]:
    """Return where speech begins and ends, in seconds from the start of the recording."""
    return [window.start_sec + edge for window in windows for span in window.speech or () for edge in span]


def test_without_segmentation_a_window_does_not_say_where_the_speech_is(pool: DecoderPool) -> None:
    (window,), _ = decoded(pool, Bytes(wav(noise(2.0))), window_sec=30.0)
    assert window.speech is None


def test_the_same_bytes_give_the_same_windows_in_every_process_and_thread(pool: DecoderPool, examples: Path) -> None:
    source = Bytes.of(examples / "house.mp4")
    results: list[list[tuple[float, object, bytes]]] = []

    def work() -> None:
        windows, _ = decoded(pool, source, segmentation="auto", window_sec=30.0)
        results.append([(window.start_sec, window.speech, window.samples.tobytes()) for window in windows])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(result == results[0] for result in results)
    assert results[0]


def test_the_content_decides_and_not_a_size_that_a_streaming_writer_left(pool: DecoderPool) -> None:
    samples = noise(2.0)
    content = wav_header(n_bytes=0xFFFFFFFF) + samples.tobytes()
    _, media = decoded(pool, Bytes(content))
    assert (media.duration_sec, media.warnings) == (2.0, ())


def test_the_rest_of_a_truncated_wav_is_transcribed_with_a_warning(pool: DecoderPool) -> None:
    content = wav(noise(6.0))
    _, media = decoded(pool, Bytes(content[: len(content) // 3]))
    assert media.duration_sec == pytest.approx(2.0, abs=0.01)
    assert media.warnings == ("The file declares a length of 6.0 s but contains 2.0 s.",)


def test_a_cut_off_mp3_with_a_frame_count_is_transcribed_with_a_warning(pool: DecoderPool) -> None:
    content = encoded(noise(6.0), codec="mp3", container="mp3")
    _, media = decoded(pool, Bytes(content[: len(content) // 2]))
    assert media.duration_sec == pytest.approx(3.0, abs=0.2)
    assert any("length of 6.0 s" in warning for warning in media.warnings)


def test_damage_in_the_middle_costs_its_packets_only(pool: DecoderPool) -> None:
    content = bytearray(encoded(noise(6.0), codec="aac", container="ipod"))
    middle = len(content) // 2
    content[middle : middle + 2_000] = bytes(range(250)) * 8
    windows, media = decoded(pool, Bytes(bytes(content)))
    assert windows
    assert any("damaged packet" in warning for warning in media.warnings)


def test_of_two_audio_tracks_the_first_is_transcribed_with_a_warning(pool: DecoderPool) -> None:
    content = encoded(tone(1.0, 500), codec="aac", container="mp4", tracks=2)
    _, media = decoded(pool, Bytes(content))
    assert media.warnings == ("Audio track 1 of 2 was transcribed.",)


def of_unknown_codec(content: bytes, track: int) -> bytes:
    """Return an MP4 in which one track names a codec that does not exist."""
    changed, at = bytearray(content), 0
    for _ in range(track):
        at = changed.index(b"stsd", at) + 4
    codec = changed.index(b"mp4a", at)
    changed[codec : codec + 4] = b"apac"
    details = changed.index(b"esds", codec)
    changed[details : details + 4] = b"free"
    return bytes(changed)


def test_a_track_that_cannot_be_decoded_gives_way_to_one_that_can(pool: DecoderPool) -> None:
    content = encoded(tone(1.0, 500), codec="aac", container="mp4", tracks=2)
    windows, media = decoded(pool, Bytes(of_unknown_codec(content, 1)))
    assert len(windows) == 1
    assert media.warnings == ("Audio track 2 of 2 was transcribed: track 1 cannot be decoded.",)
    _, media = decoded(pool, Bytes(of_unknown_codec(content, 2)))
    assert media.warnings == ("Audio track 1 of 2 was transcribed.",)
    with pytest.raises(UnsupportedMedia):
        decoded(pool, Bytes(of_unknown_codec(of_unknown_codec(content, 2), 1)))


def test_a_silent_track_gives_way_to_one_with_speech(pool: DecoderPool, examples: Path) -> None:
    speech = (samples_of(examples / "weather.wav") * 32767).astype(np.int16)[:, np.newaxis]
    silence = np.zeros_like(speech)
    segmentations: tuple[Segmentation, ...] = ("auto", "none")
    for segmentation in segmentations:
        content = encoded([silence, speech], codec="aac", container="mp4")
        windows, media = decoded(pool, Bytes(content), segmentation=segmentation)
        assert sum(window.duration_sec for window in windows) > 10.0
        assert media.warnings == ("Audio track 2 of 2 was transcribed: track 1 has no speech.",)
        windows, media = decoded(pool, Bytes(encoded([silence] * 3, codec="aac", container="mp4")), segmentation="auto")
        assert (windows, media.warnings) == ([], ("No speech was found in 3 of 3 audio tracks.",))


def test_speech_is_found_behind_many_tracks_without_any(pool: DecoderPool, examples: Path) -> None:
    speech = (samples_of(examples / "weather.wav")[: 5 * SAMPLE_RATE] * 32767).astype(np.int16)[:, np.newaxis]
    content = encoded([np.zeros_like(speech)] * 7 + [speech], codec="aac", container="mp4")
    for number in (3, 2, 1):
        content = of_unknown_codec(content, number)
    windows, media = decoded(pool, Bytes(content))
    assert windows
    assert media.warnings == (
        "Audio track 8 of 8 was transcribed: 7 other tracks cannot be decoded or have no speech.",
    )


def test_no_more_than_16_tracks_without_speech_are_tried(pool: DecoderPool) -> None:
    content = encoded([np.zeros((SAMPLE_RATE // 4, 1), np.int16)] * 18, codec="aac", container="mp4")
    _, media = decoded(pool, Bytes(content))
    assert media.warnings == ("No speech was found in 16 of 18 audio tracks.",)


def test_an_edit_list_that_leaves_out_everything_is_ignored(pool: DecoderPool) -> None:
    for entry in ((0, 1024), (2000, -1), (2000, 10**6)):
        content = bytearray(M4A)
        struct.pack_into(">Ii", content, content.index(b"elst") + 12, *entry)
        windows, media = decoded(pool, Bytes(bytes(content)), segmentation="none")
        assert sum(window.duration_sec for window in windows) == pytest.approx(2.064, abs=0.01)
        assert media.warnings == ("The file's edit list excludes all audio; it was ignored.",)


M4A = encoded(noise(2.0), codec="aac", container="ipod")
REFUSED: dict[str, tuple[bytes, type[MediaError], str]] = {
    "no bytes": (b"", EmptyRecording, "no bytes"),
    "no samples": (wav_header(n_bytes=0), EmptyRecording, "no audio samples"),
    "no channels": (wav_header(n_bytes=3200, channels=0) + bytes(3200), CorruptMedia, "0 channels"),
    "200 channels": (wav_header(n_bytes=3200, channels=200) + bytes(3200), CorruptMedia, "200 channels"),
    "no rate": (wav_header(n_bytes=3200, rate=0) + bytes(3200), CorruptMedia, "0 Hz"),
    "1 Hz": (wav_header(n_bytes=3200, rate=1) + bytes(3200), CorruptMedia, "1 Hz"),
    "no index": (M4A[: M4A.index(b"moov")], CorruptMedia, "moov"),
    "damaged index": (M4A.replace(b"mdia", b"mdix"), NoAudioTrack, "no audio track"),
    "web page": (b"<html><body>Not found</body></html>", UnsupportedMedia, "HTML"),
    "text": (b"dear diary, today I recorded nothing\n" * 30, UnsupportedMedia, "text"),
    "zeros": (bytes(100_000), UnsupportedMedia, "zeros"),
    "playlist": (b"#EXTM3U\n#EXTINF:5,\nother.wav\n", UnsupportedMedia, "playlist"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_decoded_is_refused_with_its_own_reason(pool: DecoderPool, name: str) -> None:
    content, kind, reason = REFUSED[name]
    with pytest.raises(kind, match=reason):
        decoded(pool, Bytes(content))
    assert decoded(pool, Bytes(wav(noise(0.2))))[1].duration_sec == 0.2


def test_a_recording_that_decodes_to_far_more_than_its_size_is_stopped() -> None:
    bomb = Bytes(encoded(np.zeros((600 * 8_000, 1), np.int16), codec="aac", container="ipod", rate=8_000))
    assert bomb.size < 500_000
    with (
        DecoderPool(1, DecodeLimits(max_decoded_sec=60)) as pool,
        pytest.raises(DecodeLimitExceeded, match="60 s; raise BATCHSCRIBE_MAX_DECODED_SEC"),
    ):
        decoded(pool, bomb)


def test_too_large_a_file_is_refused_unread() -> None:
    source = Bytes(bytes(1000))
    with (
        DecoderPool(1, DecodeLimits(max_bytes=999)) as pool,
        pytest.raises(DecodeLimitExceeded, match="BATCHSCRIBE_MAX_FILE_BYTES"),
    ):
        decoded(pool, source)
    assert source.reads == []


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_decoder_passes_its_trial_whatever_formats_are_accepted(name: str) -> None:
    with DecoderPool(1, DecodeLimits(), input_formats=(name,)) as pool:
        pool.try_out()


def test_a_format_that_the_operator_does_not_allow_is_refused_whatever_its_name() -> None:
    with (
        DecoderPool(1, DecodeLimits(), input_formats=("wav", "mp3")) as pool,
        pytest.raises(UnsupportedMedia, match="is M4A, which BATCHSCRIBE_INPUT_FORMATS does not allow"),
    ):
        decoded(pool, Bytes(M4A))


def test_a_long_recording_is_read_block_by_block_and_only_as_fast_as_it_is_taken(pool: DecoderPool) -> None:
    source = CountingWav(3600)
    with pool.decode(source, channels_apart=False, segmentation="none", window_sec=0.0) as decoding:
        windows = decoding.windows()
        next(windows)
        threading.Event().wait(0.7)  # time enough to decode ten minutes
        next(windows)
        assert source.n_bytes_read < 12 * 2**20  # of 115 MB; the pipe and the cache hold a little


def test_the_media_is_not_known_before_the_end(pool: DecoderPool) -> None:
    with (
        pool.decode(Bytes(wav(noise(0.5))), channels_apart=False, segmentation="none", window_sec=0.0) as decoding,
        pytest.raises(RuntimeError, match="not been decoded yet"),
    ):
        _ = decoding.media


class CountingWav(EndlessWav):
    n_bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        self.n_bytes_read += length
        return super().read(offset, length)
