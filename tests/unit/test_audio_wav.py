"""WAV files with wrong, unfinished or crowded headers: the existing audio is read."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pytest

from batchscribe.audio.channels import Channels
from batchscribe.audio.file_view import BLOCK_BYTES, RemoteFile
from batchscribe.audio.media import Media
from batchscribe.audio.track import AudioTrack
from batchscribe.audio.wav_header import WavSamples, wav_samples
from batchscribe.errors import CorruptMedia, EmptyRecording, MediaError, UnsupportedMedia
from batchscribe.input_formats import ALL_NAMES
from batchscribe.window import SAMPLE_RATE
from tests.audio_files import Bytes, Int16, encoded, noise, tone, wav

SAMPLES = noise(4.0)
DATA = SAMPLES.tobytes()
N_BYTES = len(DATA)
UNKNOWN = 0xFFFFFFFF
LIST = b"LIST" + struct.pack("<I", 18) + b"INFOICMT" + struct.pack("<I", 6) + b"hello\0"


def form(
    *, tag: int = 1, channels: int = 1, bits: int = 16, align: int | None = None, byte_rate: int = 32_000
) -> bytes:
    block = channels * bits // 8 if align is None else align
    return struct.pack("<HHIIHH", tag, channels, 16_000, byte_rate, block, bits)


def riff(
    data: bytes = DATA,
    *,
    size: int | None = None,
    name: bytes = b"RIFF",
    fmt: bytes | None = None,
    first: bytes = b"",
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Return a WAV with arbitrary parts."""
    fmt = fmt or form()
    body = b"WAVE" + first + b"fmt " + struct.pack("<I", len(fmt)) + fmt + before
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data + after
    return name + struct.pack("<I", min(len(body), UNKNOWN)) + body


def rf64(announced: int, *, name: bytes = b"RF64", after: bytes = b"", data: bytes = DATA) -> bytes:
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, announced, announced, 0, 0)
    return riff(data, size=UNKNOWN, name=name, first=ds64, after=after)


def wave64(announced: int, data: bytes = DATA) -> bytes:
    suffix = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
    head = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00" + struct.pack("<Q", 0) + b"wave" + suffix
    return (
        head
        + b"fmt "
        + suffix
        + struct.pack("<Q", 40)
        + form()
        + b"data"
        + suffix
        + struct.pack("<Q", announced)
        + data
    )


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def track(content: bytes, *, apart: bool = True) -> AudioTrack:
    source = Bytes(content)
    return AudioTrack(RemoteFile(source.size, source.read), input_formats=ALL_NAMES, apart=apart, max_sec=1e6)


def decoded(content: bytes) -> tuple[Channels, Media]:
    opened = track(content)
    blocks = list(opened.blocks(lambda: None))
    media = opened.media
    opened.close()
    return np.concatenate(blocks, axis=1), media


def as_int16(channels: Channels) -> Int16:
    return np.round(channels.T * 32768).astype(np.int16)


def found(content: bytes | Bytes) -> WavSamples:
    source = content if isinstance(content, Bytes) else Bytes(content)
    samples = wav_samples(RemoteFile(source.size, source.read))
    assert samples is not None
    return samples


WHOLE = {
    "a plain one": wav(SAMPLES),
    "a size of zero": riff(size=0),
    "a placeholder for the size": riff(size=UNKNOWN),
    "arecord's placeholder": riff(size=0x80000000),
    "sox's placeholder": riff(size=0x7FFFF000),
    "a size that wrapped, or was never updated": riff(size=32_000),
    "a size of zero behind a placeholder chunk of 4 KiB": riff(size=0, before=chunk(b"JUNK", bytes(4044))),
    "a size of zero and chunks behind": riff(size=0, after=LIST),
    "a size never updated and chunks behind": riff(size=32_000, after=LIST + chunk(b"id3 ", bytes(3001)) + b"\0"),
    "chunks behind": riff(after=LIST),
    "chunks behind, the last cut off": riff(after=LIST[:14]),
    "a chunk behind of which only the name tells": riff(after=chunk(b"what", b"12345")),
    "padding to a block of a disk": riff(after=bytes(1024)),
    "chunks and padding behind": riff(after=LIST + bytes(1024)),
    "6 KiB of metadata in front": riff(before=chunk(b"bext", bytes(6000))),
    "2 MiB of metadata in front": riff(before=chunk(b"iXML", b"<x/>" * BLOCK_BYTES)),
    "an odd chunk without padding in front": riff(before=chunk(b"LIST", b"INFOISFT\x0f\0\0\0writer-1234567\0")),
    "an odd chunk with padding in front": riff(before=chunk(b"LIST", b"INFOISFT\x0f\0\0\0writer-1234567\0") + b"\0"),
    "a chunk of a wrong size in front": riff(before=b"LIST" + struct.pack("<I", 9) + b"INFOICMT\x06\0\0\0hello\0"),
    "a chunk of a wrong size before the format": riff(
        first=b"LIST" + struct.pack("<I", 9) + b"INFOICMT\x06\0\0\0hello\0"
    ),
    "RF64": rf64(N_BYTES),
    "RF64 never finished": rf64(0),
    "RF64 never finished, by another writer": rf64(2**64 - 1),
    "RF64 with an early size": rf64(32_000),
    "RF64 with chunks behind": rf64(N_BYTES, after=LIST),
    "BW64 never finished": rf64(0, name=b"BW64"),
    "Wave64": wave64(24 + N_BYTES),
    "Wave64 never finished": wave64(0),
    "Wave64 never finished, by another writer": wave64(2**63 - 1),
    "Wave64 with an early size": wave64(24 + 32_000),
    "half the byte rate": riff(fmt=form(byte_rate=16_000)),
    "twice the byte rate": riff(fmt=form(byte_rate=64_000)),
    "no byte rate": riff(fmt=form(byte_rate=0)),
    "a block size of 0": riff(fmt=form(align=0)),
    "a block size of 1": riff(fmt=form(align=1)),
    "a block size of 4": riff(fmt=form(align=4)),
    "no bits per sample": riff(fmt=form(bits=0, align=2)),
    "the format behind the samples": b"RIFF\0\0\0\0WAVE" + chunk(b"data", DATA) + chunk(b"fmt ", form()),
}


@pytest.mark.parametrize("name", WHOLE)
def test_all_samples_are_read_nothing_else_and_without_a_warning(name: str) -> None:
    channels, media = decoded(WHOLE[name])
    n_samples = len(SAMPLES)
    assert np.array_equal(as_int16(channels)[:n_samples], SAMPLES)
    assert not channels[:, n_samples:].any()
    assert media.duration_sec == pytest.approx(4.0, abs=0.04)
    assert media.warnings == ()


CUT_OFF = {
    "a plain one": riff(),
    "6 KiB of metadata in front": riff(before=chunk(b"bext", bytes(6000))),
    "2 MiB of metadata in front": riff(before=chunk(b"iXML", b"<x/>" * BLOCK_BYTES)),
    "RF64": rf64(N_BYTES),
    "BW64": rf64(N_BYTES, name=b"BW64"),
    "Wave64": wave64(24 + N_BYTES),
    "an odd chunk without padding in front": riff(before=chunk(b"LIST", b"INFOISFT\x0f\0\0\0writer-1234567\0")),
    "a byte rate twice the truth": riff(fmt=form(byte_rate=64_000)),
}


@pytest.mark.parametrize("name", CUT_OFF)
def test_one_that_was_cut_off_says_how_much_is_missing(name: str) -> None:
    channels, media = decoded(CUT_OFF[name][: -N_BYTES // 2])
    assert np.array_equal(as_int16(channels), SAMPLES[: len(SAMPLES) // 2])
    assert media.warnings == ("The file declares a length of 4.0 s but contains 2.0 s.",)


def test_a_large_size_that_no_writer_uses_as_a_placeholder_is_believed() -> None:
    _, media = decoded(riff(size=3_000_000_000))
    assert media.warnings == ("The file declares a length of 93750.0 s but contains 4.0 s.",)


class Sparse(Bytes):
    """A file with a start, an end, and any number of zeros in between."""

    def __init__(self, head: bytes, size: int, tail: bytes) -> None:
        super().__init__(head)
        self._tail = tail
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        self.reads.append((offset, length))
        content = bytearray(min(length, self.size - offset))
        for start, piece in ((0, self.content), (self.size - len(self._tail), self._tail)):
            begin, end = max(offset, start), min(offset + len(content), start + len(piece))
            if begin < end:
                content[begin - offset : end - offset] = piece[begin - start : end - start]
        return bytes(content)


@pytest.mark.parametrize("data_bytes", [5 * 2**30, 2**32 + 7_000, 11 * 2**32 + 32_000])
@pytest.mark.parametrize("after", [b"", LIST])
def test_a_size_that_wrapped_at_4_gib_is_corrected_and_later_chunks_are_not_audio(
    data_bytes: int, after: bytes
) -> None:
    head = riff(b"", size=data_bytes % 2**32)
    source = Sparse(head, len(head) + data_bytes + len(after), after or b"\1" * 500)
    samples = found(source)
    assert samples.end - samples.start == data_bytes
    assert samples.believed_bytes == data_bytes
    assert sum(length for _, length in source.reads) < 20 * BLOCK_BYTES


def test_a_walk_along_very_many_chunks_ends() -> None:
    source = Sparse(riff(before=chunk(b"JUNK", b"")[:4] + struct.pack("<I", 2 * BLOCK_BYTES)), 10**13, b"")
    assert wav_samples(RemoteFile(source.size, source.read)) is not None
    hostile = Bytes(b"RIFF\0\0\0\0WAVE" + chunk(b"JUNK", b"") * 300_000)
    assert wav_samples(RemoteFile(hostile.size, hostile.read)) is None
    assert len(hostile.reads) < 10


EMPTY = {"nothing behind the header": riff(b""), "only a chunk behind": riff(b"", after=LIST)}


@pytest.mark.parametrize("name", EMPTY)
def test_a_recorder_that_stopped_at_once_left_no_recording(name: str) -> None:
    with pytest.raises(EmptyRecording):
        decoded(EMPTY[name])


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF\0\0\0\0WAVE",
        riff()[:24],
        riff()[:38],
        riff(fmt=b"\1\0\1\0" + bytes(4)),
        b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd",
    ],
)
def test_without_a_format_or_samples_the_structure_is_damaged(content: bytes) -> None:
    with pytest.raises(CorruptMedia, match="WAV structure"):
        track(content)


def test_samples_of_three_bytes_survive_a_wrong_block_size() -> None:
    wide = (SAMPLES.astype(np.int32) << 8).astype("<i4").tobytes()
    data = b"".join(wide[start : start + 3] for start in range(0, len(wide), 4))
    for align in (0, 1, 2, 4, 3):
        channels, media = decoded(riff(data, fmt=form(bits=24, align=align)))
        assert media.codec == "pcm_s24le"
        assert np.array_equal(as_int16(channels), SAMPLES)


def test_all_data_chunks_are_decoded_in_order() -> None:
    half = N_BYTES // 2
    first, second = chunk(b"data", DATA[:half]), chunk(b"data", DATA[half:])
    odd = chunk(b"LIST", b"INFOISFT\x05\0\0\0abcde")
    for between in (b"", LIST, odd, odd + b"\0", chunk(b"JUNK", bytes(BLOCK_BYTES))):
        for behind in (b"", LIST):
            content = riff(b"", before=first + between + second, size=0, after=behind)
            channels, media = decoded(content)
            assert np.array_equal(as_int16(channels), SAMPLES)
            assert media.warnings == ()


def test_a_later_data_chunk_may_have_a_format_of_its_own() -> None:
    slow = noise(2.0, rate=8_000, seed=3)
    fmt = struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16)
    channels, media = decoded(riff(after=chunk(b"fmt ", fmt) + chunk(b"data", slow.tobytes())))
    assert media.duration_sec == pytest.approx(6.0, abs=0.001)
    assert np.array_equal(as_int16(channels)[: len(SAMPLES)], SAMPLES)
    assert media.warnings == ()


def test_a_data_chunk_of_an_odd_size_may_lack_its_padding() -> None:
    eight_bits = ((SAMPLES[:, 0] >> 8) + 128).astype(np.uint8).tobytes()
    for padding in (b"", b"\0"):
        content = riff(eight_bits[:16_001], fmt=form(bits=8), after=padding + chunk(b"data", eight_bits[16_001:]))
        channels, media = decoded(content)
        assert np.array_equal(as_int16(channels)[:, 0] >> 8, SAMPLES[:, 0] >> 8)
        assert media.warnings == ()


def test_a_second_data_chunk_that_was_cut_off_says_how_much_is_missing() -> None:
    content = riff(DATA[: N_BYTES // 2], after=chunk(b"data", DATA[N_BYTES // 2 :]))
    channels, media = decoded(content[: -N_BYTES // 4])
    assert np.array_equal(as_int16(channels), SAMPLES[: len(SAMPLES) * 3 // 4])
    assert media.warnings == ("The file declares a length of 4.0 s but contains 3.0 s.",)


def test_ignored_data_chunks_cause_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchscribe.audio.wav_header.MAX_PARTS", 2)
    monkeypatch.setattr("batchscribe.audio.sound_source.MAX_PARTS", 2)
    _, media = decoded(riff(after=chunk(b"data", DATA) * 2))
    assert media.warnings == ("The file is damaged after 8.0 s; the rest was skipped.",)


@pytest.mark.parametrize("announced", [2**40, 2**61])
def test_a_length_that_no_recording_has_is_called_impossible(announced: int) -> None:
    channels, media = decoded(rf64(announced))
    assert np.array_equal(as_int16(channels), SAMPLES)
    (warning,) = media.warnings
    assert warning == "The file declares an impossible length; all of the 4.0 s that it contains were decoded."


WIDE = {
    "high bytes, rest zero": lambda sound: sound.astype("<i4") << 16,
    "low bytes, rest the sign": lambda sound: sound.astype("<i4") << 8,
    "all bytes in use": lambda sound: (sound.astype("<i4") << 16) + noise(4.0, seed=9).astype("<i4") % 65_536,
}


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_block_size_of_four_bytes_per_sample_is_believed_if_the_samples_agree(name: str, channels: int) -> None:
    sound = tone(4.0, 300)
    sound[: SAMPLE_RATE // 2] = 0
    data = np.repeat(WIDE[name](sound), channels, axis=1).tobytes()
    for fmt in (form(bits=24, channels=channels, align=4 * channels), extensible(24, 24, channels=channels, width=4)):
        heard, media = decoded(riff(data, fmt=fmt))
        assert np.abs(as_int16(heard) - sound).max() <= 1
        assert (media.duration_sec, media.codec) == (4.0, "pcm_s32le")
        assert not [warning for warning in media.warnings if "have the same sound" not in warning]


def test_a_block_size_of_four_bytes_is_not_believed_of_samples_of_two_or_three() -> None:
    for sound in (SAMPLES, tone(4.0, 300), np.repeat(tone(2.0, 50), 2, axis=0)):
        heard, media = decoded(riff(sound.tobytes(), fmt=form(align=4)))
        assert (media.duration_sec, media.codec) == (4.0, "pcm_s16le")
        assert np.array_equal(as_int16(heard), sound)


@pytest.mark.parametrize(("bits", "align"), [(0, 0), (0, 0xFFFF), (1, 0xFFFF), (0xFFFF, 0), (0xFFFF, 0xFFFF), (65, 1)])
@pytest.mark.parametrize("channels", [1, 2, 32, 0xFFFF])
def test_nonsense_in_the_format_is_a_recording_or_a_refusal(bits: int, align: int, channels: int) -> None:
    for tag in (1, 3, 6, 0xFFFE):
        with suppress(MediaError):
            decoded(riff(fmt=form(tag=tag, bits=bits, align=align, channels=channels)))


def extensible(
    bits: int, valid_bits: int, *, kind: int = 1, channels: int = 1, mask: int = 0, width: int | None = None
) -> bytes:
    """`width` is the number of bytes that the block size gives to each sample."""
    plain = form(tag=0xFFFE, bits=bits, channels=channels, align=width and width * channels)
    guid = struct.pack("<H", kind) + b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    return plain + struct.pack("<HHI", 22, valid_bits, mask) + guid


@pytest.mark.parametrize("valid_bits", [0, 16, 20, 24, 32])
def test_24_valid_bits_in_samples_of_32_are_samples_of_32(valid_bits: int) -> None:
    wide = (SAMPLES.astype(np.int32) << 16).astype("<i4")
    channels, media = decoded(riff(wide.tobytes(), fmt=extensible(32, valid_bits)))
    assert media.codec == "pcm_s32le"
    assert np.array_equal(as_int16(channels), SAMPLES)


KINDS: dict[str, tuple[bytes, Sequence[object], str]] = {
    "8 bits": (form(bits=8), [(SAMPLES >> 8).astype(np.int8).astype(np.int16) + 128, "u1"], "pcm_u8"),
    "float of 32 bits": (form(tag=3, bits=32), [SAMPLES / 32768, "<f4"], "pcm_f32le"),
    "float of 64 bits": (form(tag=3, bits=64), [SAMPLES / 32768, "<f8"], "pcm_f64le"),
    "extensible float": (extensible(32, 32, kind=3), [SAMPLES / 32768, "<f4"], "pcm_f32le"),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_samples_is_read_as_what_it_is(name: str) -> None:
    fmt, (values, dtype), codec = KINDS[name]
    channels, media = decoded(riff(np.asarray(values).astype(str(dtype)).tobytes(), fmt=fmt))
    assert media.codec == codec
    assert np.abs(as_int16(channels).astype(int) - SAMPLES).max() <= 256


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_big_endian_samples_are_read_as_such(bits: int) -> None:
    wide = (SAMPLES.astype(np.int64) << (bits - 16)).astype(">i8").tobytes()
    data = b"".join(wide[start + 8 - bits // 8 : start + 8] for start in range(0, len(wide), 8))
    fmt = struct.pack(">HHIIHH", 1, 1, 16_000, 32_000, bits // 8, bits)
    content = b"RIFX\0\0\0\0WAVEfmt " + struct.pack(">I", 16) + fmt + b"data" + struct.pack(">I", len(data)) + data
    channels, media = decoded(content)
    assert (media.codec, media.container) == (f"pcm_s{bits}be", "wav")
    assert np.array_equal(as_int16(channels), SAMPLES)


@pytest.mark.parametrize("codec", ["g722", "g726", "mp2", "adpcm_ms", "adpcm_ima_wav", "pcm_alaw", "pcm_mulaw"])
def test_the_codecs_of_telephony_are_decoded(codec: str) -> None:
    rate = {"g722": 16_000, "mp2": 24_000}.get(codec, 8_000)
    content = encoded(noise(2.0, rate=rate), codec=codec, container="wav", rate=rate)
    channels, media = decoded(content)
    assert media.codec == codec
    assert media.warnings == ()
    assert media.duration_sec == pytest.approx(2.0, abs=0.1)
    assert np.abs(channels).max() > 0.01


@pytest.mark.parametrize(
    ("tag", "frame_bytes", "codec"),
    [(0x42, 24, "g723_1"), (0x83, 10, "g729"), (0x22, 32, "truespeech"), (0x31, 65, "gsm_ms")],
)
def test_those_that_hardly_anything_encodes_any_more_too(tag: int, frame_bytes: int, codec: str) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (50, frame_bytes), dtype=np.uint8)
    frames[:, 0] &= 0xFC  # G.723.1 says there that it has 24 bytes
    fmt = struct.pack("<HHIIHHH", tag, 1, 8_000, 1_000, frame_bytes, 0, 32) + bytes(32)
    _, media = decoded(riff(frames.tobytes(), fmt=fmt))
    assert media.codec == codec
    assert media.duration_sec >= 0.5


def test_what_has_no_decoder_is_refused_by_its_name() -> None:
    for tag, name in ((0x0160, "wmav1"), (0x0270, "atrac3"), (0x2001, "dca")):
        with pytest.raises(UnsupportedMedia, match=name):
            track(riff(fmt=form(tag=tag, align=300) + struct.pack("<H", 14) + bytes(14)))


def test_aac_in_wav_needs_headers_of_its_own() -> None:
    bare = encoded(noise(1.0), codec="aac", container="wav")
    with pytest.raises(UnsupportedMedia, match="AAC without frame headers"):
        track(bare)
    adts = encoded(noise(1.0), codec="aac", container="adts")
    _, media = decoded(riff(adts, fmt=form(tag=0xFF)))
    assert media.duration_sec == pytest.approx(1.0, abs=0.2)
    assert media.warnings == ()
