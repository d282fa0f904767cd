"""The headers of MP4 files."""

from __future__ import annotations

import struct

from batchscribe.audio.announced import has_index
from batchscribe.audio.file_view import RemoteFile
from tests.audio_files import encoded, noise


def remote(content: bytes) -> RemoteFile:
    return RemoteFile(len(content), lambda offset, length: content[offset : offset + length])


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
