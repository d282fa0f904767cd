"""Word error rates with their confidence: by drawing recordings anew, with replacement (bootstrap)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.speech.results import Estimate

DRAWS = 10_000
SEED = 1
PERCENTILES = (2.5, 97.5)
#: With fewer groups a bootstrap is meaningless.
MIN_GROUPS = 5

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Score:
    """One recording: wrong words through the flow and by the bare engine, and words that were said."""

    group: str
    flow_wrong: int
    bare_wrong: int
    words: int


@dataclass(frozen=True, slots=True)
class Rates:
    flow: Estimate
    bare: Estimate
    difference: Estimate


def estimate(scores: Sequence[Score]) -> Rates:
    """At least one word must have been said. Both sides are drawn together, so the difference is a paired one."""
    groups = _by_group(scores)
    drawn = _draws(len(groups)) @ groups if len(groups) >= MIN_GROUPS else None
    total = groups.sum(axis=0, keepdims=True)
    return Rates(*(_estimate(total, drawn, weights) for weights in ((1, 0), (0, 1), (1, -1))))


def _by_group(scores: Sequence[Score]) -> Counts:
    """int64[n_groups, 3]: wrong words through the flow and by the bare engine, and words that were said."""
    sums = {score.group: np.zeros(3, dtype=np.int64) for score in scores}
    for score in scores:
        sums[score.group] += (score.flow_wrong, score.bare_wrong, score.words)
    return np.stack(list(sums.values()))


def _draws(n_groups: int) -> Counts:
    """int64[DRAWS, n_groups]: how often each group is drawn."""
    return np.random.default_rng(SEED).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=DRAWS)


def _estimate(total: Counts, drawn: Counts | None, weights: tuple[int, int]) -> Estimate:
    value = float(_rates(total, weights)[0])
    if drawn is None:
        return Estimate(value)
    low, high = np.percentile(_rates(drawn[drawn[:, 2] > 0], weights), PERCENTILES)
    return Estimate(value, float(low), float(high))


def _rates(counts: Counts, weights: tuple[int, int]) -> NDArray[np.float64]:
    """float64[n]"""
    return np.asarray(counts[:, :2] @ np.array(weights) / counts[:, 2], dtype=np.float64)
