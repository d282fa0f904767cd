"""Segmentation `none`: all of the audio, in pieces."""

from __future__ import annotations

import numpy as np
import pytest

from batchscribe.audio.segmenter import WholeSegmenter
from batchscribe.window import SAMPLE_RATE, Samples, Window


def pieces_of(samples: Samples, step: int = 16_384) -> list[Window]:
    segmenter = WholeSegmenter(3)
    found = [
        piece for start in range(0, len(samples), step) for piece in segmenter.accept(samples[start : start + step])
    ]
    return found + list(segmenter.finish())


def loud(duration_sec: float) -> Samples:
    return np.random.default_rng(5).normal(0, 0.3, round(duration_sec * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("duration_sec", [0.0000625, 0.05, 29.99, 30.0, 30.01, 61.0, 95.3])
def test_not_one_sample_is_lost_and_no_piece_is_longer_than_30_sec(duration_sec: float) -> None:
    samples = loud(duration_sec)
    pieces = pieces_of(samples)
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), samples)
    assert max(piece.duration_sec for piece in pieces) <= 30.0
    ends_sec = [piece.start_sec + piece.duration_sec for piece in pieces]
    assert [piece.start_sec for piece in pieces] == pytest.approx([0.0, *ends_sec[:-1]])
    assert {piece.channel for piece in pieces} == {3}


def test_a_piece_ends_in_the_pause_near_its_end() -> None:
    samples = loud(40.0)
    pause = slice(round(26.4 * SAMPLE_RATE), round(26.8 * SAMPLE_RATE))
    samples[pause] = 0.0
    first, _ = pieces_of(samples)
    assert 26.4 < first.duration_sec < 26.8


def test_pieces_of_what_is_equally_loud_are_long() -> None:
    pieces = pieces_of(np.full(90 * SAMPLE_RATE, 0.1, dtype=np.float32))
    assert [round(piece.duration_sec, 2) for piece in pieces] == [29.95, 29.95, 29.95, 0.15]


def test_digital_silence_reaches_no_engine_and_later_times_are_correct() -> None:
    assert pieces_of(np.zeros(90 * SAMPLE_RATE, dtype=np.float32)) == []
    (piece,) = pieces_of(np.concatenate([np.zeros(100 * SAMPLE_RATE, dtype=np.float32), loud(10.0)]))
    assert 70.0 < piece.start_sec <= 100.0
    assert piece.start_sec + piece.duration_sec == pytest.approx(110.0)


def test_pieces_do_not_depend_on_how_the_audio_arrives() -> None:
    samples = loud(70.0)
    assert [p.start_sec for p in pieces_of(samples, 999)] == [p.start_sec for p in pieces_of(samples, 10_000_000)]


def test_no_audio_has_no_pieces() -> None:
    assert pieces_of(np.zeros(0, dtype=np.float32)) == []
