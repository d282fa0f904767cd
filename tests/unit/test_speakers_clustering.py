"""Clusters of voices, on embeddings that are drawn around known voices."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.voice_clustering import SAME_SPEAKER, Voices, cluster_voices
from batchscribe.speakers.voice_merging import VoiceGroups, labels_after, merge_all

SIZE = 192
OPEN = SpeakerCount()


def exactly(number: int) -> SpeakerCount:
    return SpeakerCount(number, number)


def voices(truth: list[int], seconds: list[float] | None = None, *, noise: float = 0.8, seed: int = 0) -> Voices:
    """One chunk for each entry of `truth`, with a voice near that speaker's; `noise` 0.8 makes a similarity of 0.6."""
    random = np.random.default_rng(seed)
    speakers = random.normal(size=(max(truth) + 1, SIZE))
    speakers /= np.linalg.norm(speakers, axis=1, keepdims=True)
    drawn = speakers[truth] + noise * random.normal(size=(len(truth), SIZE)) / np.sqrt(SIZE)
    embeddings = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return Voices(embeddings, np.array(seconds or [2.0] * len(truth)), np.zeros(len(truth), dtype=bool))


def same_partition(found: NDArray[np.int64], truth: list[int]) -> bool:
    pairs = set(zip(found.tolist(), truth, strict=True))
    return len(pairs) == len(set(truth)) == len(set(found.tolist()))


@pytest.mark.parametrize("speakers", [1, 2, 3, 7, 20])
def test_speakers_are_found_without_knowing_how_many(speakers: int) -> None:
    truth = [number % speakers for number in range(8 * speakers)]
    assert same_partition(cluster_voices(voices(truth), OPEN), truth)


def test_a_recording_without_speech_has_no_speaker() -> None:
    nothing = Voices(np.zeros((0, SIZE), dtype=np.float32), np.zeros(0), np.zeros(0, dtype=bool))
    assert cluster_voices(nothing, exactly(2)).tolist() == []


def test_a_single_chunk_has_one_speaker() -> None:
    assert cluster_voices(voices([0], [0.4]), OPEN).tolist() == [0]
    assert cluster_voices(voices([0], [0.4]), exactly(3)).tolist() == [0]


def test_short_answers_go_to_the_most_similar_voice() -> None:
    truth = [0, 1] * 6 + [0, 1, 1, 0]
    found = cluster_voices(voices(truth, [2.0] * 12 + [0.4] * 4, noise=1.2), OPEN)
    assert same_partition(found, truth)


def test_a_stray_voice_is_not_a_speaker() -> None:
    found = cluster_voices(voices([0] * 10 + [1] * 10 + [2]), OPEN)
    assert same_partition(found[:20], [0] * 10 + [1] * 10)
    assert found[20] in found[:20]


def test_a_given_number_does_not_split_a_stray_voice_off() -> None:
    """Two similar speakers are distinguished instead, although alone they would count as one."""
    random = np.random.default_rng(3)
    first = random.normal(size=SIZE)
    second = first + 0.9 * random.normal(size=SIZE)
    stray = random.normal(size=SIZE)
    drawn = np.array([*[first] * 10, *[second] * 10, stray]) + 0.3 * random.normal(size=(21, SIZE))
    embeddings = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    chunks = Voices(embeddings, np.array([2.0] * 20 + [1.2]), np.zeros(21, dtype=bool))
    assert len(set(cluster_voices(chunks, OPEN).tolist())) == 1
    found = cluster_voices(chunks, exactly(2))
    assert same_partition(found[:20], [0] * 10 + [1] * 10)


@pytest.mark.parametrize(("count", "speakers"), [(exactly(2), 2), (exactly(4), 4), (SpeakerCount(1, 3), 3), (OPEN, 5)])
def test_a_given_number_is_met(count: SpeakerCount, speakers: int) -> None:
    truth = [number % 5 for number in range(40)]
    assert len(set(cluster_voices(voices(truth), count).tolist())) == speakers


def test_a_larger_given_number_splits_voices() -> None:
    truth = [number % 2 for number in range(20)]
    assert len(set(cluster_voices(voices(truth), SpeakerCount(at_least=4)).tolist())) == 4


def test_a_telephone_has_a_threshold_of_its_own() -> None:
    random = np.random.default_rng(5)
    shared = random.normal(size=SIZE)
    speakers = [shared + 0.85 * random.normal(size=SIZE) for _ in range(2)]
    drawn = np.array([speakers[number % 2] for number in range(20)]) + 0.3 * random.normal(size=(20, SIZE))
    embeddings = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    wide = Voices(embeddings, np.full(20, 2.0), np.zeros(20, dtype=bool))
    narrow = Voices(embeddings, np.full(20, 2.0), np.ones(20, dtype=bool))
    assert len(set(cluster_voices(wide, OPEN).tolist())) == 1
    assert same_partition(cluster_voices(narrow, OPEN), [number % 2 for number in range(20)])


@pytest.mark.parametrize("block", [24, 60, 100])
def test_merging_in_blocks_first_finds_the_same_speakers(block: int) -> None:
    truth = [number // 3 % 4 for number in range(240)]
    chunks = voices(truth, noise=0.9, seed=1)
    in_blocks = cluster_voices(chunks, OPEN, block=block)
    assert same_partition(in_blocks, truth)
    np.testing.assert_array_equal(in_blocks, cluster_voices(chunks, OPEN))


def test_merging_follows_average_similarity() -> None:
    """The similarity of two groups is the average over their pairs, divided by the averages within them."""
    chunks = voices([0, 0, 0, 1, 1], noise=0.5)
    labels = np.array([0, 0, 0, 1, 1])
    groups = VoiceGroups.of(chunks.embeddings, chunks.seconds).join(labels)
    pairs = chunks.embeddings.astype(np.float64) @ chunks.embeddings.T
    within = [
        (pairs[:3, :3].sum() - 3) * 4 + 0.6 * 4,  # six pairs of chunks of two seconds, and the expectation
        (pairs[3:, 3:].sum() - 2) * 4 + 0.6 * 4,
    ]
    scale = np.sqrt(within[0] / (6 * 4 + 4) * within[1] / (2 * 4 + 4))
    assert groups.similarity(slice(None), 0.6)[0, 1] == pytest.approx(pairs[:3, 3:].mean() / scale)


def test_merges_end_with_one_group() -> None:
    chunks = voices([0, 1, 0, 1, 2])
    merges = merge_all(VoiceGroups.of(chunks.embeddings, chunks.seconds), SAME_SPEAKER)
    assert labels_after(5, merges[:2]).tolist() == [0, 1, 0, 1, 2]
    assert labels_after(5, merges).tolist() == [0] * 5


def test_embeddings_are_in_no_representation() -> None:
    chunks = voices([0, 1])
    shown = repr(chunks) + repr(VoiceGroups.of(chunks.embeddings, chunks.seconds))
    assert "embeddings=" not in shown
    assert "sums=" not in shown
