"""Recordings that tempt a speech model to invent words, made from the examples or synthesized."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchscribe.window import SAMPLE_RATE
from tests.audio_files import wav

Sound = NDArray[np.float64]  #: float64[n_samples], 16 kHz, mono, -1.0 to 1.0


def seconds(duration_sec: float) -> Sound:
    """Return the times of the samples."""
    return np.arange(round(duration_sec * SAMPLE_RATE)) / SAMPLE_RATE


def silence(duration_sec: float) -> Sound:
    return np.zeros(round(duration_sec * SAMPLE_RATE))


def noise(duration_sec: float, level: float, *, seed: int = 0) -> Sound:
    """Return white noise; `level` is its RMS."""
    return np.random.default_rng(seed).normal(0.0, level, round(duration_sec * SAMPLE_RATE))


def tone(duration_sec: float, *hz: float, level: float = 0.2) -> Sound:
    """Return all frequencies at once, faded in and out over 10 ms."""
    moments = seconds(duration_sec)
    sound = sum((np.sin(2 * np.pi * each * moments) for each in hz), np.zeros(len(moments)))
    fade = np.minimum(1.0, np.minimum(moments, moments[::-1]) / 0.01)
    return level * fade * sound / len(hz)


def without_silence(sound: Sound) -> Sound:
    """Return the part from the first to the last sound."""
    loud = np.flatnonzero(np.convolve(np.abs(sound), np.ones(160) / 160, "same") > 0.01)
    return sound[loud[0] : loud[-1]]


def save(path: Path, sound: Sound) -> None:
    path.write_bytes(wav((np.clip(sound, -1.0, 1.0) * 32767).astype(np.int16)[:, np.newaxis]))


# --- without speech --------------------------------------------------------------------------------------------


def beeps(times: int) -> Sound:
    return np.concatenate([np.concatenate([tone(0.3, 1000.0), silence(0.7)]) for _ in range(times)])


def chords(duration_sec: float) -> Sound:
    """Return a progression of chords of half a second, with the overtones and the decay of plucked strings."""
    roots = (261.6, 220.0, 174.6, 196.0)
    moments = seconds(0.5)
    played = []
    for number in range(round(duration_sec / 0.5)):
        root = roots[number // 2 % len(roots)]
        notes = [root * step * overtone for step in (1.0, 1.25, 1.5) for overtone in (1, 2, 3)]
        played.append(tone(0.5, *notes, level=0.6) * np.exp(-3 * moments))
    return np.concatenate(played)


def ringing(times: int) -> Sound:
    """Return the ringing tone of a call."""
    return np.concatenate([np.concatenate([tone(2.0, 440.0, 480.0), silence(4.0)]) for _ in range(times)])


def siren(duration_sec: float) -> Sound:
    moments = seconds(duration_sec)
    hz = 700 + 300 * np.sin(2 * np.pi * 0.4 * moments)
    return 0.3 * np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE)


def hum(duration_sec: float) -> Sound:
    """Return mains hum with overtones."""
    return tone(duration_sec, 50.0, 100.0, 150.0, 250.0)


def bursts(duration_sec: float) -> Sound:
    """Return noise that starts and stops four times a second."""
    moments = seconds(duration_sec)
    return noise(duration_sec, 0.2) * (np.sin(2 * np.pi * 4 * moments) > 0)


NOBODY_SPEAKS: dict[str, Callable[[], Sound]] = {
    "digital-silence": lambda: silence(12.0),
    "faint-noise": lambda: noise(12.0, 0.001),
    "white-noise": lambda: noise(12.0, 0.1),
    "brown-noise": lambda: np.cumsum(noise(12.0, 0.001)) % 0.5,
    "bursts": lambda: bursts(12.0),
    "hum": lambda: hum(12.0),
    "tone": lambda: tone(12.0, 440.0),
    "ringing": lambda: ringing(2),
    "beeps": lambda: beeps(12),
    "chords": lambda: chords(15.0),
    "siren": lambda: siren(12.0),
}


# --- speech, and something that invites repetition ---------------------------------------------------------------


def loudness(sound: Sound) -> float:
    """Return the RMS."""
    return float(np.sqrt(np.mean(np.square(sound))))


def babble(speech: Sound) -> Sound:
    """Return six simultaneous voices."""
    return sum((np.roll(speech, voice * 30_011) for voice in range(6)), np.zeros(len(speech))) / 4


def interrupted(speech: Sound) -> Sound:
    """Replace the speech by 0.2 s of noise twice a second."""
    moments = seconds(len(speech) / SAMPLE_RATE)[: len(speech)]
    burst = noise(len(speech) / SAMPLE_RATE, 3 * loudness(speech))[: len(speech)]
    return np.where(moments % 0.5 < 0.2, burst, speech)


def stretched_vowel(speech: Sound) -> Sound:
    """Return thirty periods of a steady voice, repeated forward and backward for 20 s."""
    start = int(np.argmax(np.convolve(np.square(speech), np.ones(3200), "valid")))
    vowel = speech[start : start + 3200]
    return np.tile(np.concatenate([vowel, vowel[::-1]]), 50)


def muffled(speech: Sound) -> Sound:
    """Remove the high frequencies."""
    kept: Sound = np.convolve(speech, np.ones(40) / 40, "same")
    return kept


def paced(speech: Sound, factor: float) -> Sound:
    """Play that many times as fast, and as much higher."""
    changed: Sound = np.interp(np.arange(0, len(speech), factor), np.arange(len(speech)), speech)
    return changed


def sentence(weather: Sound) -> Sound:
    """Return the first sentence of the example: "This is the weather for the weekend."."""
    return weather[round(0.98 * SAMPLE_RATE) : round(2.62 * SAMPLE_RATE)]


def repeated(phrase: Sound, times: int, pause_sec: float) -> Sound:
    return np.tile(np.concatenate([phrase, silence(pause_sec)]), times)


TEMPTING: dict[str, Callable[[Sound], Sound]] = {
    "one-syllable": lambda speech: np.tile(speech[16_000:21_600], 60),
    "stretched-vowel": stretched_vowel,
    "babble": babble,
    "backwards": lambda speech: speech[::-1],
    "in-noise": lambda speech: speech + noise(len(speech) / SAMPLE_RATE, 2.2 * loudness(speech))[: len(speech)],
    "interrupted": interrupted,
    "muffled": muffled,
    "slow": lambda speech: paced(speech, 0.45)[: 20 * SAMPLE_RATE],
    "fast": lambda speech: np.tile(paced(speech, 2.0), 2),
    "before-chords": lambda speech: np.concatenate([speech, chords(15.0)]),
    "between-silences": lambda speech: np.concatenate([silence(60.0), speech, silence(60.0)]),
}
