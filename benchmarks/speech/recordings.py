"""Recordings with references: those of the repository and those of the corpus beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.recordings import CORPUS, ROOT

EXAMPLES = "examples"
NO_SPEECH = "no-speech"
#: Single digits of half a second, and files that no decoder can read: nothing to score.
NOT_SCORED = {"tiny", "broken"}
#: Several languages in one recording.
MIXED = "mul"
#: The categories in the order of the tables, and what is in them.
CATEGORIES = {
    "clean-read": "read aloud in a quiet room, mostly single sentences",
    "public-address": "one sentence of a famous speech",
    "commands": "a word or two, or a short question",
    "spontaneous": "free speech with fillers",
    "telephony-8k": "telephone band, 8 kHz; some recorded, some derived from read sentences",
    "noisy-or-reverberant": "music, kitchen noise, a jackhammer or other voices, 0 to 15 dB quieter than the speech",
    "stereo-two-channel": "calls with one speaker on each channel, transcribed channel by channel",
    "long": "joined recordings, up to 35 minutes, and one sentence between two minutes of silence",
    "container-variant": "the same few sentences in several formats: WAV, MP3, M4A, MP4",
    "non-english": "German, Spanish, French, Portuguese, Swedish, Chinese, Japanese and Korean",
    EXAMPLES: "synthetic voices, from `examples/audio`",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """One channel of a file, or all channels mixed if `channel` is None. `text` is empty without speech.

    `group` is the same for recordings made from the same original, so that intervals count them as one.
    """

    path: Path
    category: str
    language: str  #: without region
    text: str
    group: str
    channel: int | None = None

    @property
    def tag(self) -> str:
        """The language tag for a job."""
        return "en-US" if self.language == "en" else self.language


def has_corpus() -> bool:
    return CORPUS.is_dir()


def all_recordings() -> list[Recording]:
    return [*_examples(), *_corpus()]


def _examples() -> Iterator[Recording]:
    texts: dict[str, list[dict[str, Any]]] = json.loads((ROOT / "examples" / "texts.json").read_text())
    for name, turns in texts.items():
        channels = sorted({turn["channel"] for turn in turns})
        for channel in channels:
            said = " ".join(turn["text"] for turn in turns if turn["channel"] == channel)
            path = ROOT / "examples" / "audio" / name
            yield Recording(path, EXAMPLES, "en", said, name, channel if len(channels) > 1 else None)


def _corpus() -> Iterator[Recording]:
    if has_corpus():
        for line in (CORPUS / "manifest.jsonl").read_text().splitlines():
            yield from recordings_of(json.loads(line))


def recordings_of(facts: dict[str, Any]) -> Iterator[Recording]:
    """Of one line of the corpus's manifest: none where there is no reference that a person confirmed."""
    path, category = CORPUS / facts["path"], facts["category"]
    language = (facts["language"] or "en").split("-")[0]
    is_confirmed = "not confirmed" not in (facts["notes"] or "")
    if category in NOT_SCORED or language == MIXED or not is_confirmed or facts["text"] is None:
        return
    texts = facts["channel_texts"] or []
    if len(set(texts)) > 1:
        for channel, text in enumerate(texts):
            yield Recording(path, category, language, text, _group(facts), channel)
    else:
        yield Recording(path, category, language, facts["text"], _group(facts))


def _group(facts: dict[str, Any]) -> str:
    """The one original that it was made from, or its own path."""
    originals = facts["derived_from"] or []
    originals = [originals] if isinstance(originals, str) else originals
    return str(originals[0] if len(originals) == 1 else facts["path"])
