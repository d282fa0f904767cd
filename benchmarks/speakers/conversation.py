"""A conversation made of turns, and how it sounds: over a telephone, with noise, or as a call of two channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import av
import numpy as np

from batchscribe.window import SAMPLE_RATE, Samples
from benchmarks.speakers.islands import find_islands

TELEPHONE_RATE = 8_000
TELEPHONE_HZ = 300, 3_400
LEVEL = 0.06  #: root mean square of a turn
LEVEL_SPREAD_DB = 4.0  #: each voice is louder or quieter by up to this
LINE_NOISE = 0.0005
LEAD_SEC = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Conversation:
    """`reference` has (start, end, voice) in seconds; it is empty for a recording without speech."""

    name: str
    samples: Samples
    reference: tuple[tuple[float, float, str], ...]

    @property
    def duration_sec(self) -> float:
        return len(self.samples) / SAMPLE_RATE

    @property
    def speakers(self) -> int:
        return len({voice for _, _, voice in self.reference})


def converse(
    name: str, turns: dict[str, Sequence[Samples]], *, gap_sec: tuple[float, float] = (0.15, 0.9), seed: int = 7
) -> Conversation:
    """Let voices speak in random order, never one twice in a row while another has turns left.

    A gap below zero is an overlap.
    """
    random = np.random.default_rng(seed)
    left = {voice: list(said) for voice, said in turns.items()}
    gain = {voice: 10 ** (random.uniform(-LEVEL_SPREAD_DB, LEVEL_SPREAD_DB) / 20) for voice in turns}
    duration_sec = 2 * LEAD_SEC + sum(
        len(turn) / SAMPLE_RATE + max(gap_sec) for said in turns.values() for turn in said
    )
    mixed = random.normal(0, LINE_NOISE, int(duration_sec * SAMPLE_RATE)).astype(np.float32)
    reference: list[tuple[float, float, str]] = []
    start, last = LEAD_SEC, ""
    while any(left.values()):
        others = [voice for voice, said in left.items() if said and voice != last]
        last = str(random.choice(others)) if others else last
        turn = left[last].pop(0)
        first = int(start * SAMPLE_RATE)
        mixed[first : first + len(turn)] += turn * np.float32(LEVEL * gain[last] / np.sqrt(np.mean(turn**2)))
        reference += [(start + begin, start + end, last) for begin, end in find_islands(turn)]
        start = max(LEAD_SEC, start + len(turn) / SAMPLE_RATE + random.uniform(*gap_sec))
    end = int((max(end for _, end, _ in reference) + LEAD_SEC) * SAMPLE_RATE)
    return Conversation(name, mixed[:end], tuple(sorted(reference)))


def over_telephone(conversation: Conversation, name: str) -> Conversation:
    """Return it as a telephone transmits it: 300 to 3,400 Hz, 8 kHz, mu-law."""
    return replace(conversation, name=name, samples=telephone(conversation.samples))


def with_noise(conversation: Conversation, name: str, noise: Samples, *, ratio_db: float) -> Conversation:
    """Add noise that is weaker than the speech by `ratio_db`."""
    repeated = np.resize(noise, len(conversation.samples))
    power = np.mean(conversation.samples**2) / np.mean(repeated**2) / 10 ** (ratio_db / 10)
    samples = conversation.samples + repeated * np.float32(np.sqrt(power))
    return replace(conversation, name=name, samples=samples)


def telephone(samples: Samples) -> Samples:
    """Limit the band, encode as mu-law at 8 kHz, and decode."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(hertz < TELEPHONE_HZ[0]) | (hertz > TELEPHONE_HZ[1])] = 0
    narrow = _resample(np.fft.irfft(spectrum, len(samples)).astype(np.float32), SAMPLE_RATE, TELEPHONE_RATE)
    compressed = np.sign(narrow) * np.log1p(255 * np.minimum(np.abs(narrow), 1)) / np.log(256)
    rounded = np.round(compressed * 127) / 127
    expanded = np.sign(rounded) * np.expm1(np.abs(rounded) * np.log(256)) / 255
    wide = _resample(expanded.astype(np.float32), TELEPHONE_RATE, SAMPLE_RATE)
    return np.resize(wide, len(samples)) if len(wide) >= len(samples) else np.pad(wide, (0, len(samples) - len(wide)))


def _resample(samples: Samples, rate: int, wanted: int) -> Samples:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "fltp", "mono")
    frame.rate = rate
    resampler = av.AudioResampler("fltp", "mono", wanted)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts]).astype(np.float32)
