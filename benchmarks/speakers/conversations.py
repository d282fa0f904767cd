"""The conversations of each half, and the recordings without speech.

Both halves have the same kinds of conversations, from different voices.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from batchscribe.window import SAMPLE_RATE, Samples
from benchmarks.recordings import CORPUS
from benchmarks.speakers.conversation import Conversation, converse, over_telephone, with_noise
from benchmarks.speakers.voices import VOICES, Half, read_sound, turns_of

NO_SPEECH = "no-speech"
NOISE_SEC = 30
KITCHEN = "no-speech/kitchen_noise_25s.wav"
OVERLAPPING = (-0.8, 0.3)
LONG_CALL_REPEATS = 3

#: The voices of each conversation. The two with the most material are first.
CAST: dict[Half, dict[str, tuple[str, ...]]] = {
    "tuning": {
        "two": ("LJ", "Michael"),
        "short": ("Arctic", "Speechbrain"),
        "three": ("LJ", "Harvard woman", "en 2"),
        "four": ("LJ", "Michael", "de 0", "Python"),
        "call": ("Michael", "en 2"),
        "agents": ("LJ", "en 0", "Speechbrain", "Arctic"),
        "seven": ("LJ", "Michael", "Harvard woman", "en 2", "de 0", "de 1", "1272"),
        "alone": ("LJ",),
    },
    "untouched": {
        "two": ("Sonnets", "LibriVox es"),
        "short": ("Swedish", "Kennedy"),
        "three": ("Sonnets", "Harvard man", "pt 1"),
        "four": ("Sonnets", "LibriVox es", "fr 3", "es 0"),
        "call": ("LibriVox es", "pt 3"),
        "agents": ("Sonnets", "fr 1", "es 3", "Kennedy"),
        "seven": ("Sonnets", "LibriVox es", "Harvard man", "pt 1", "es 0", "fr 3", "fr 1"),
        "alone": ("Sonnets",),
    },
}


def conversations(half: Half) -> Iterator[Conversation]:
    cast = CAST[half]

    def say(key: str, most: int, **options: object) -> Conversation:
        return _converse(half, key, cast[key], most, **options)

    yield say("two", 14)
    yield say("short", 14)
    three = say("three", 10)
    yield three
    yield over_telephone(three, "three, telephone")
    yield with_noise(three, "three, white noise at 10 dB", _white_noise(), ratio_db=10)
    yield with_noise(three, "three, kitchen noise at 10 dB", read_sound(KITCHEN), ratio_db=10)
    four = say("four", 9)
    yield four
    yield _converse(half, "four, overlapping", cast["four"], 9, gap_sec=OVERLAPPING)
    yield say("seven", 7)
    yield _converse(half, "thirteen", tuple(VOICES[half])[:13], 6)
    yield over_telephone(_converse(half, "", cast["call"], 14, gap_sec=(-0.3, 0.8)), "call of two")
    yield over_telephone(_converse(half, "", cast["agents"], 6, gap_sec=OVERLAPPING), "call of four, overlapping")
    yield over_telephone(_converse(half, "", tuple(VOICES[half])[:8], 9), "call of eight")
    alone = say("alone", 30)
    yield alone
    yield over_telephone(alone, "alone, telephone")


def recordings_without_speech() -> Iterator[Conversation]:
    for path in sorted((CORPUS / NO_SPEECH).iterdir()):
        yield Conversation(path.name, read_sound(f"{NO_SPEECH}/{path.name}"), ())
    yield Conversation("loud white noise", _white_noise(), ())


def _converse(half: Half, name: str, cast: tuple[str, ...], most: int, **options: object) -> Conversation:
    return converse(name, {voice: turns_of(half, voice)[:most] for voice in cast}, **options)  # type: ignore[arg-type]


def _white_noise() -> Samples:
    return np.random.default_rng(3).normal(0, 0.05, NOISE_SEC * SAMPLE_RATE).astype(np.float32)
