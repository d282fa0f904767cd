"""The table in the README's section on accuracy: word error rates for the choice of a model."""

from __future__ import annotations

import re

from benchmarks.recordings import ROOT
from benchmarks.speech.results import Measured, Results
from benchmarks.speech.tables import percent, table

README = ROOT / "README.md"
MODELS = ("base", "pocketsphinx")
#: Categories, and what the README calls them.
QUOTED = {
    "clean-read": "read aloud in a quiet room",
    "telephony-8k": "telephone calls",
    "noisy-or-reverberant": "noise or other voices",
    "stereo-two-channel": "calls, one speaker on each channel",
    "long": "long recordings",
    "non-english": "eight other languages",
}
BEGIN, END = "<!-- figures of make bench-speech -->\n", "<!-- end of figures -->\n"


def quoted(results: Results) -> str:
    """The table, with the lines around it that mark it."""
    models = [results.model(name) for name in MODELS]
    rows = [[text, *(_rate(model, name) for model in models)] for name, text in QUOTED.items()]
    return BEGIN + table(("word errors", *(model.title for model in models)), rows) + END


def with_figures(text: str, results: Results) -> str:
    """The README with its table replaced."""
    block = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    assert block.search(text), f"README.md has no lines {BEGIN.strip()} and {END.strip()}"
    return block.sub(lambda _: quoted(results), text)


def write(results: Results) -> None:
    """Write the README if all models that it quotes are measured."""
    if set(MODELS) <= {measured.name for measured in results.models}:
        README.write_text(with_figures(README.read_text(), results))


def _rate(measured: Measured, category: str) -> str:
    found = measured.category(category)
    return percent(found.flow.value) if found else "not supported"
