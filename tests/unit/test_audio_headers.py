"""What WAV, MP3 and MP4 files say about themselves."""

from __future__ import annotations

import struct

import pytest

from batchscribe.audio.mp3_header import counts_its_frames
from batchscribe.audio.mp4_boxes import has_index
from batchscribe.audio.remote_file import RemoteFile
from batchscribe.audio.wav_header import wav_header
from tests import audio_files
from tests.audio_files import encoded, noise, wav


def remote(content: bytes) -> RemoteFile:
    return RemoteFile(len(content), lambda offset, length: content[offset : offset + length])


def test_a_wav_header_announces_channels_rate_and_length() -> None:
    header = wav_header(wav(noise(1.5, rate=8_000, channels=2), rate=8_000))
    assert header is not None
    assert header == (2, 8_000, 1.5)


def test_chunks_before_the_samples_are_passed_over() -> None:
    plain = wav(noise(1.0))
    tagged = plain[:36] + struct.pack("<4sI", b"LIST", 7) + b"INFOabc\0" + plain[36:]
    header = wav_header(tagged)
    assert header is not None
    assert header.announced_sec == 1.0


@pytest.mark.parametrize("n_bytes", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_the_sizes_of_streaming_writers_announce_nothing(n_bytes: int) -> None:
    header = wav_header(audio_files.wav_header(n_bytes=n_bytes))
    assert header is not None
    assert header.announced_sec is None


@pytest.mark.parametrize("head", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0", b"ID3"])
def test_what_is_no_wav_header_is_none(head: bytes) -> None:
    assert wav_header(head) is None


def test_an_mp3_says_its_length_only_with_a_frame_count() -> None:
    counted = encoded(noise(0.5), codec="mp3", container="mp3", options={"write_xing": "1"})
    uncounted = encoded(noise(0.5), codec="mp3", container="mp3", options={"write_xing": "0"})
    assert counts_its_frames(remote(counted))
    assert not counts_its_frames(remote(uncounted))


def test_the_word_info_in_a_tag_is_no_frame_count() -> None:
    bare = encoded(noise(0.5), codec="mp3", container="mp3", options={"write_xing": "0", "id3v2_version": "0"})
    tag = b"Info about this recording".ljust(200, b"\0")
    tagged = b"ID3\x03\0\0\0\0" + bytes([len(tag) >> 7, len(tag) & 0x7F]) + tag + bare
    assert not counts_its_frames(remote(tagged))


def test_the_index_of_an_mp4_is_found_at_either_end_and_missed_when_cut_off() -> None:
    moov_last = encoded(noise(0.5), codec="aac", container="mp4")
    moov_first = encoded(noise(0.5), codec="aac", container="mp4", options={"movflags": "frag_keyframe+empty_moov"})
    assert has_index(remote(moov_last))
    assert has_index(remote(moov_first))
    assert not has_index(remote(moov_last[: moov_last.index(b"moov") + 20]))
    assert not has_index(remote(moov_last[: len(moov_last) // 2]))


def test_boxes_with_nonsense_sizes_end_the_search() -> None:
    assert not has_index(remote(struct.pack(">I4s", 0, b"free") + bytes(100)))
    assert not has_index(remote(struct.pack(">I4s", 3, b"free") + bytes(100)))
    assert not has_index(remote(struct.pack(">I4sQ", 1, b"mdat", 2**63) + bytes(100)))
