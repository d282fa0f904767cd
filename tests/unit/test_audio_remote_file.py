from __future__ import annotations

import io
import os

import numpy as np

from batchscribe.audio.file_view import BLOCK_BYTES, RemoteFile
from tests.audio_files import Bytes

CONTENT = np.random.default_rng(1).bytes(3 * BLOCK_BYTES + 12_345)


def remote(source: Bytes, first_block: bytes = b"") -> RemoteFile:
    return RemoteFile(source.size, source.read, first_block)


def test_it_reads_and_seeks_like_a_file() -> None:
    file, expected, dice = remote(Bytes(CONTENT)), io.BytesIO(CONTENT), np.random.default_rng(2)
    for _ in range(300):
        ahead, back, length = (int(number) for number in dice.integers(1, len(CONTENT), 3))
        for place in ((ahead, os.SEEK_SET), (-back, os.SEEK_END)):
            assert file.seek(*place) == expected.seek(*place)
            piece = file.read(length)
            assert piece == expected.read(len(piece))
            assert piece or expected.tell() == len(CONTENT)
            assert file.tell() == expected.tell()


def test_reading_front_to_back_asks_for_each_block_once() -> None:
    source = Bytes(CONTENT)
    file = remote(source)
    while file.read(65_536):
        pass
    assert source.reads == [(n * BLOCK_BYTES, min(BLOCK_BYTES, source.size - n * BLOCK_BYTES)) for n in range(4)]


def test_a_recording_of_one_block_never_waits_for_a_turn() -> None:
    source = Bytes(CONTENT[:10_000])
    file = remote(source, source.content)
    assert file.read() == source.content
    assert source.reads == []


def test_going_back_and_forth_between_two_places_fetches_each_once() -> None:
    source = Bytes(CONTENT)
    file = remote(source)
    for _ in range(20):
        file.seek(10)
        file.read(100)
        file.seek(2 * BLOCK_BYTES + 10)
        file.read(100)
    assert len(source.reads) == 2


def test_only_a_few_blocks_are_kept() -> None:
    source = Bytes(bytes(20 * BLOCK_BYTES))
    file = remote(source)
    for number in range(20):
        file.seek(number * BLOCK_BYTES)
        file.read(1)
    file.seek(0)
    file.read(1)
    assert len(source.reads) == 21


def test_behind_the_end_there_is_nothing() -> None:
    file = remote(Bytes(b"abc"))
    file.seek(1_000_000)
    assert file.read(10) == b""
    assert file.seek(-10, os.SEEK_CUR) == 999_990
    assert file.seek(-10, os.SEEK_END) == 0
