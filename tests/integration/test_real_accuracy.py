"""Word error rates on real recordings, through the flow and by faster-whisper alone, if the corpus is available."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import jiwer
import numpy as np
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from batchscribe.window import SAMPLE_RATE
from tests.audio_files import samples_of
from tests.hard_recordings import Sound, save
from tests.integration.heard import WITHIN_SEC, heard_by_faster_whisper, transcribed

pytestmark = pytest.mark.timeout(2 * WITHIN_SEC)

RECORDINGS = {
    "telephony": (
        "made-telephony/LJ001-0001_8k_mulaw.wav",
        "made-telephony/LJ001-0004_8k_alaw.wav",
        "made-telephony/LJ001-0007_8k_pcm16.wav",
        "open-speech-repository/OSR_us_000_0010_8k.wav",
    ),
    "noisy": (
        "made-noisy/LJ001-0005_music_10dB.wav",
        "made-noisy/LJ001-0011_kitchen_0dB.wav",
        "made-noisy/LJ001-0016_babble_10dB.wav",
        "made-noisy/LJ001-0019_kitchen_5dB.wav",
        "made-noisy/fleurs-en-000_babble_15dB.wav",
    ),
    "clear": ("realpython/harvard.wav", "ljspeech/LJ001-0014.wav", "mfa/cold_corpus.wav"),
}
CALL = "made-stereo-calls/call_overlapping.wav"
LONG, LONG_SEC = "made-long/long_one_speaker.mp3", 40.0
#: About five words more than when this was written: 0.036, 0.112, 0.045, 0.062 and 0.007.
WORST = {"telephony": 0.07, "noisy": 0.16, "clear": 0.08, "call": 0.11, "long": 0.04}
#: How much worse than faster-whisper all of them together may be. They were 0.013 better.
MARGIN = 0.01

comparable = EnglishTextNormalizer()


@dataclass(frozen=True, slots=True)
class Sample:
    """A recording of one voice, and its text."""

    path: Path
    said: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Reference and both results, normalized for comparison."""

    said: list[str]
    by_flow: list[str]
    by_faster_whisper: list[str]


def facts_of(corpus: Path) -> dict[str, dict[str, Any]]:
    lines = (corpus / "manifest.jsonl").read_text().splitlines()
    return {facts["path"]: facts for facts in map(json.loads, lines)}


def beginning(corpus: Path, facts: dict[str, Any], folder: Path) -> Sample:
    """Return the utterances that begin in the first `LONG_SEC` seconds."""
    inside = [each for each in facts["segments"] if each["start"] < LONG_SEC]
    samples = samples_of(corpus / LONG)[: round((inside[-1]["end"] + 0.3) * SAMPLE_RATE)]
    save(folder / "long.wav", samples.astype(np.float64))
    return Sample(folder / "long.wav", " ".join(each["text"] for each in inside))


def channel_of(path: Path, channel: int) -> Sound:
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[channel] for frame in frames]).astype(np.float64)


def compared(said: Sequence[str], by_flow: Sequence[str], by_faster_whisper: Sequence[str]) -> Heard:
    return Heard(*([comparable(text) for text in texts] for texts in (said, by_flow, by_faster_whisper)))


@pytest.fixture(scope="module")
def heard(corpus: Path, tiny_en_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Heard]:
    folder = tmp_path_factory.mktemp("accuracy")
    facts = facts_of(corpus)
    samples = {
        category: [Sample(corpus / name, facts[name]["text"]) for name in names]
        for category, names in RECORDINGS.items()
    }
    samples["long"] = [beginning(corpus, facts[LONG], folder)]
    inputs = [each.path for category in samples.values() for each in category]
    flow = transcribed(folder, tiny_en_model, inputs, "flow", "--engine-processes", "2")
    bare = dict(zip(inputs, heard_by_faster_whisper(tiny_en_model, [(path, "en") for path in inputs]), strict=True))
    found = {
        category: compared(
            [each.said for each in members],
            [flow[each.path.stem].text for each in members],
            [bare[each.path] for each in members],
        )
        for category, members in samples.items()
    }
    return found | {"call": call_heard(corpus, facts[CALL], tiny_en_model, folder)}


def call_heard(corpus: Path, facts: dict[str, Any], model: Path, folder: Path) -> Heard:
    """Transcribe each channel of a call separately; faster-whisper gets it as a separate recording."""
    call = transcribed(folder, model, [corpus / CALL], "call", "--channels")[Path(CALL).stem]
    sides = [folder / f"side-{channel}.wav" for channel in (0, 1)]
    for channel, path in enumerate(sides):
        save(path, channel_of(corpus / CALL, channel))
    bare = heard_by_faster_whisper(model, [(path, "en") for path in sides])
    return compared(facts["channel_texts"], [call.of_channel(channel) for channel in (0, 1)], bare)


@pytest.mark.parametrize("category", WORST)
def test_few_words_are_wrong(heard: dict[str, Heard], category: str) -> None:
    assert jiwer.wer(heard[category].said, heard[category].by_flow) <= WORST[category]


def test_no_more_words_are_wrong_than_by_faster_whisper_alone(heard: dict[str, Heard]) -> None:
    said = [text for each in heard.values() for text in each.said]
    by_flow = [text for each in heard.values() for text in each.by_flow]
    by_faster_whisper = [text for each in heard.values() for text in each.by_faster_whisper]
    assert jiwer.wer(said, by_flow) <= jiwer.wer(said, by_faster_whisper) + MARGIN
