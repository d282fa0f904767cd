"""A plot of bars, drawn on the server as rectangles of an SVG image."""

from __future__ import annotations

import math
from dataclasses import dataclass

WIDTH, HEIGHT = 720.0, 160.0  #: of the area of the bars
GAP = 0.25  #: between two bars, as a share of a bar's place
MOST_LABELS = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, in units of the image, and the value that it stands for."""

    x: float
    y: float
    width: float
    height: float
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class BarPlot:
    """Bars from left to right, with a line and a label for each step of the scale."""

    bars: list[Bar]
    steps: list[tuple[float, str]]  #: height in the image, and the value there
    names: list[tuple[float, str]]  #: place, and the name of the bar there
    unit: str
    width: float = WIDTH
    height: float = HEIGHT


def plot_bars(names: list[str], values: list[float], *, unit: str) -> BarPlot:
    """`values` are not negative, and one for each name."""
    step = nice_step(max(values, default=0.0))
    n_steps = max(1, math.ceil(max(values, default=0.0) / step))
    top = step * n_steps
    place = WIDTH / max(1, len(values))
    bars = [
        Bar(
            x=round(place * (index + GAP / 2), 2),
            y=round(HEIGHT * (1 - value / top), 2),
            width=round(place * (1 - GAP), 2),
            height=round(HEIGHT * value / top, 2),
            name=name,
            value=value,
        )
        for index, (name, value) in enumerate(zip(names, values, strict=True))
    ]
    every = max(1, math.ceil(len(names) / MOST_LABELS))
    return BarPlot(
        bars=[bar for bar in bars if bar.value > 0],
        steps=[(round(HEIGHT * (1 - n / n_steps), 2), f"{step * n:g}") for n in range(n_steps + 1)],
        names=[(round(place * (index + 0.5), 2), names[index]) for index in range(0, len(names), every)],
        unit=unit,
    )


def nice_step(most: float) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about four steps reach `most`."""
    if most <= 0:
        return 1.0
    rough = most / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
