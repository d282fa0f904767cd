"""The plot of docs/accuracy.md: bars of the word error rate, a panel for each model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.speech.results import Category, Estimate, Measured, Results

COLOURS = {"batchscribe": "#1f5fa8", "bare engine": "#e0912f"}
WIDTH_IN, PANEL_IN = 9.0, 3.2
BAR = 0.4
#: More than every word wrong would dwarf the rest.
MOST_PERCENT = 100.0


def write(results: Results, path: Path) -> None:
    models = [measured for measured in results.models if measured.words]
    # With a salt the same figures give the same bytes; the font is the one that comes with the library.
    with mpl.rc_context({"svg.hashsalt": "batchscribe", "font.family": "DejaVu Sans", "font.size": 9.0}):
        figure = Figure(figsize=(WIDTH_IN, PANEL_IN * len(models)), facecolor="white", layout="constrained")
        panels = figure.subplots(len(models), 1, squeeze=False)[:, 0]
        for panel, measured in zip(panels, models, strict=True):
            _draw(panel, measured)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _draw(panel: Axes, measured: Measured) -> None:
    categories = measured.words.categories if measured.words else ()
    bares = [each.bare for each in categories if each.bare is not None]
    at = np.arange(len(categories), dtype=float)
    _bars(panel, at - (BAR / 2 if bares else 0), [each.flow for each in categories], "batchscribe")
    if bares:
        _bars(panel, at + BAR / 2, bares, "bare engine")
    panel.set_title(measured.title, loc="left", fontweight="bold")
    panel.set_xticks(at, [_label(each) for each in categories])
    panel.set_ylabel("wrong words, %")
    panel.set_ylim(0, min(MOST_PERCENT, panel.get_ylim()[1]))
    panel.grid(axis="y", color="#dddddd")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, loc="upper right", ncols=2)


def _bars(panel: Axes, at: np.ndarray[tuple[int], np.dtype[np.float64]], rates: Sequence[Estimate], name: str) -> None:
    """With whiskers where there is an interval."""
    heights = [100 * rate.value for rate in rates]
    panel.bar(at, heights, BAR, label=name, color=COLOURS[name])
    for x, rate in zip(at, rates, strict=True):
        if rate.low is not None and rate.high is not None:
            panel.vlines(x, 100 * rate.low, 100 * rate.high, color="#333333", linewidth=1)


def _label(category: Category) -> str:
    """On several lines, with the number of recordings."""
    name = category.name.replace("-or-", " or\n").replace("-", "\n").replace(" ", "\n", 1)
    return f"{name}\n({category.recordings})"
