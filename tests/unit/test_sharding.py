"""How the files of a job are cut into shards."""

from __future__ import annotations

from collections import Counter

import pytest

from batchscribe.jobs.sharding import ShardCutter, estimated_audio_sec

SECOND = 32_000  # bytes of a second of WAV


def shards(*sizes: int | None, speed: float = 1.0, first: int = 1, unknown: int = 0) -> list[int]:
    cutter = ShardCutter(first, speed=speed, unknown=unknown)
    return [cutter.add("s3://b/a.wav", size) for size in sizes]


def test_a_shard_closes_after_64_files() -> None:
    cut = shards(*[0] * 130)
    assert [cut.count(number) for number in (1, 2, 3)] == [64, 64, 2]


def test_a_shard_closes_before_it_holds_more_than_a_minute_of_work() -> None:
    assert shards(*[25 * SECOND] * 5) == [1, 1, 2, 2, 3]
    assert shards(*[25 * SECOND] * 5, speed=2.0) == [1, 1, 1, 1, 2]


def test_a_big_file_is_alone() -> None:
    assert shards(SECOND, 600 * SECOND, SECOND, SECOND) == [1, 2, 3, 3]


def test_a_few_files_of_unknown_size_are_alone_also_beside_empty_ones() -> None:
    assert shards(0, None, None, 0, unknown=2) == [1, 2, 3, 4]


@pytest.mark.parametrize(("files", "largest"), [(1, 1), (32, 1), (33, 2), (100, 4), (224, 7), (256, 8), (1000, 8)])
def test_many_files_of_unknown_size_share_shards_when_many_machines_have_some(files: int, largest: int) -> None:
    cut = Counter(shards(*[None] * files, unknown=files))
    assert max(cut.values()) == largest
    assert sorted(cut.values())[1:] == [largest] * (len(cut) - 1)
    assert len(cut) > 16 or largest == 1


def test_the_audio_is_that_of_all_files_whose_size_is_known() -> None:
    cutter = ShardCutter(1, speed=2.0, unknown=1)
    for size in (25 * SECOND, None, 600 * SECOND):
        cutter.add("s3://b/a.wav", size)
    assert cutter.audio_sec == 625.0


def test_the_next_page_continues_with_the_next_number() -> None:
    cutter = ShardCutter(7, speed=1.0)
    assert cutter.next_shard == 7
    assert cutter.add("s3://b/a.wav", SECOND) == 7
    assert cutter.next_shard == 8
    assert cutter.add("s3://b/b.wav", None) == 8
    assert cutter.next_shard == 9


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("a.wav", 10.0),
        ("a.WAV", 10.0),
        ("a.flac", 16.0),
        ("a.OPUS", 40.0),
        ("a.ogg", 40.0),
        ("a.weba", 40.0),
        ("a.webm", 20.0),
        ("a.mp3", 20.0),
        ("noext", 20.0),
        ("opus", 20.0),
    ],
)
def test_audio_is_estimated_from_size_and_extension(name: str, seconds: float) -> None:
    assert estimated_audio_sec(f"s3://b/{name}", 320_000) == seconds
