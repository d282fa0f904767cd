"""The plot of docs/accuracy.md: bars of the word error rate, a panel for each model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.speech.results import Category, Estimate, Results

COLORS = {"batchscribe": "#6aa5dc", "bare engine": "#f0b060"}
WIDTH_IN, CATEGORY_IN, AROUND_IN = 8.0, 0.36, 0.9
BAR = 0.4
#: More than every word wrong would dwarf the rest.
MOST_PERCENT = 100.0


def write(results: Results, path: Path) -> None:
    models = [(measured.title, measured.words.categories) for measured in results.models if measured.words]
    heights = [AROUND_IN + CATEGORY_IN * len(categories) for _, categories in models]
    # With a salt the same figures give the same bytes; the font is the one that comes with the library.
    with mpl.rc_context({"svg.hashsalt": "batchscribe", "font.family": "DejaVu Sans", "font.size": 9.0}):
        figure = Figure(figsize=(WIDTH_IN, sum(heights)), facecolor="white", layout="constrained")
        panels = figure.subplots(len(models), 1, squeeze=False, height_ratios=heights)[:, 0]
        for panel, (title, categories) in zip(panels, models, strict=True):
            _draw(panel, title, categories)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _draw(panel: Axes, title: str, categories: Sequence[Category]) -> None:
    """The first category on top."""
    bares = [each.bare for each in categories if each.bare is not None]
    at = np.arange(len(categories), dtype=float)
    _bars(panel, at - (BAR / 2 if bares else 0), [each.flow for each in categories], "batchscribe")
    if bares:
        _bars(panel, at + BAR / 2, bares, "bare engine")
    panel.set_title(title, loc="left", fontweight="bold")
    panel.set_yticks(at, [f"{each.name} ({each.recordings})" for each in categories])
    panel.invert_yaxis()
    panel.set_xlabel("wrong words, %; recordings in brackets, lines are 95 % confidence intervals")
    panel.set_xlim(0, min(MOST_PERCENT, panel.get_xlim()[1]))
    panel.grid(axis="x", color="#dddddd")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.0, ncols=2)


def _bars(panel: Axes, at: NDArray[np.float64], rates: Sequence[Estimate], name: str) -> None:
    """With whiskers where there is an interval."""
    panel.barh(at, [100 * rate.value for rate in rates], BAR, label=name, color=COLORS[name])
    for y, rate in zip(at, rates, strict=True):
        if rate.low is not None and rate.high is not None:
            panel.hlines(y, 100 * rate.low, 100 * rate.high, color="#333333", linewidth=1)
