"""Both sides of `make bench-speech`, with a model that always returns the same text."""

from __future__ import annotations

from pathlib import Path

from benchmarks.speech.contenders import Model
from benchmarks.speech.recordings import Recording
from benchmarks.speech.words import measure_words

from tests.documents import ROOT
from tests.models.whisper import Line, scripted_whisper

AUDIO = ROOT / "examples" / "audio"


def test_the_flow_and_the_bare_engine_are_measured_on_the_same_recordings(tmp_path: Path) -> None:
    model = Model("scripted", frozenset({"en"}), scripted_whisper(tmp_path / "model", Line("Good morning.")))
    recordings = [
        Recording(AUDIO / "council.m4a", "clean-read", "en", "good morning", "council"),
        Recording(AUDIO / "library-call.mp3", "examples", "en", "good evening", "call", channel=1),
        Recording(AUDIO / "weather.wav", "non-english", "de", "guten Morgen", "weather"),
    ]
    found = {each.name: each for each in measure_words(model, recordings).categories}
    assert set(found) == {"clean-read", "examples", "all English"}  # it does not support German
    read, call = found["clean-read"], found["examples"]
    assert read.bare is not None
    assert call.bare is not None
    assert (read.words, read.flow.value, read.bare.value) == (2, 0.0, 0.0)
    assert call.bare.value == 0.5
    assert call.flow.value >= 0.5  # it is recognized in several pieces, all with the same text
