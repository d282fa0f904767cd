"""How far the starts of words move when a minute of silence is put before the same recording."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from batchscribe.window import SAMPLE_RATE
from benchmarks.recordings import ROOT, examples, samples_of, write_wav
from benchmarks.speech import bare, flow
from benchmarks.speech.contenders import COMPUTE_TYPE, Model
from benchmarks.speech.progress import tell
from benchmarks.speech.results import Starts

SILENCE_SEC = 60.0
RECORDINGS = ("council.m4a", "house.mp4", "shopping.mp3", "weather.wav")
GOAL_SEC = 0.2

TimedWords = Sequence[tuple[str, float]]


def measure_starts(model: Model) -> tuple[Starts, Starts]:
    """Through the flow, and by the bare engine."""
    tell(f"{model.name}, starts of words after a minute of silence")
    with TemporaryDirectory() as name:
        folder = Path(name)
        pairs = [_pair(path, folder) for path in examples() if path.name in RECORDINGS]
        paths = [path for pair in pairs for path in pair]
        return compare(flow.words_of(paths, model)), compare(_bare_words(paths, model, folder / "bare"))


def compare(heard: Sequence[TimedWords]) -> Starts:
    """Measure a recording as it is, and after silence, in turns."""
    shifts = np.array([shift for at in range(0, len(heard), 2) for shift in _shifts(heard[at], heard[at + 1])])
    return Starts(
        words=len(shifts),
        median_sec=float(np.median(shifts)),
        p95_sec=float(np.percentile(shifts, 95)),
        greatest_sec=float(shifts.max()),
    )


def _shifts(plain: TimedWords, late: TimedWords) -> Iterator[float]:
    """Of the words that were recognized both times."""
    first, second = ([re.sub(r"\W", "", word.lower()) for word, _ in words] for words in (plain, late))
    for block in SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            yield abs(late[block.b + offset][1] - SILENCE_SEC - plain[block.a + offset][1])


def _pair(path: Path, folder: Path) -> tuple[Path, Path]:
    """Write two WAV files: the recording as it is, and after silence."""
    samples = samples_of(path)
    silence = np.zeros(int(SILENCE_SEC * SAMPLE_RATE), dtype=np.int16)
    plain, late = folder / f"{path.stem}.wav", folder / f"{path.stem}-late.wav"
    write_wav(plain, iter([samples]))
    write_wav(late, iter([silence, samples]))
    return plain, late


def _bare_words(paths: Sequence[Path], model: Model, folder: Path) -> list[TimedWords]:
    items = tuple(bare.Item(f"{path}", "en") for path in paths)
    order = bare.Order(f"{model.folder}", COMPUTE_TYPE, items, with_words=True)
    subprocess.run(bare.command(order, folder), cwd=ROOT, check=True)
    return [heard.words for heard in bare.answer_of(folder)]
