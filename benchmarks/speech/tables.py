"""The measured figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.speech.cost import CONTENDERS, GOALS, Goal
from benchmarks.speech.results import Category, Cost, Estimate, Measured, Starts, Words, Workload
from benchmarks.speech.starts import GOAL_SEC

UNITS = {"cpu_sec": "CPU time", "wall_sec": "wall time"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def rate(estimate: Estimate | None) -> str:
    """With its interval where there is one."""
    if estimate is None:
        return "-"
    bounds = _bounds(estimate)
    return percent(estimate.value) + (f" ({100 * bounds[0]:.1f} to {100 * bounds[1]:.1f})" if bounds else "")


def points(estimate: Estimate | None) -> str:
    """A difference of two rates, in percentage points."""
    if estimate is None:
        return "-"
    bounds = _bounds(estimate)
    return f"{100 * estimate.value:+.1f}" + (f" ({100 * bounds[0]:+.1f} to {100 * bounds[1]:+.1f})" if bounds else "")


def words_table(words: Words) -> str:
    """Word error rates; for an engine without a rival only those through the flow."""
    if words.bare_invented is None:
        rows = [[*_size(each), rate(each.flow)] for each in words.categories]
        return table(("category", "recordings", "words", "batchscribe"), rows)
    head = ("category", "recordings", "words", "batchscribe", "bare engine", "difference in points")
    rows = [[*_size(each), rate(each.flow), rate(each.bare), points(each.difference)] for each in words.categories]
    return table(head, rows)


def oddities_table(words: Words) -> str:
    """Loops and invented words. The totals are left out of the sum, since the categories hold all recordings."""
    singles = [each for each in words.categories if not each.name.startswith("all")]
    loops = [sum(each.flow_loops for each in singles), sum(each.bare_loops for each in singles)]
    invented = [words.flow_invented, words.bare_invented]
    columns = 1 if words.bare_invented is None else 2
    rows = [
        ["phrases repeated five times or more in a row", *map(str, loops[:columns])],
        [f"words in {words.silent_recordings} recordings without speech", *map(str, invented[:columns])],
    ]
    return table(("", "batchscribe", "bare engine")[: columns + 1], rows)


def cost_table(workloads: Sequence[Workload]) -> str:
    head = ("recordings and program", "CPU time", "wall time", "peak memory")
    rows = [
        [f"{each.name} ({each.audio_sec:.0f} s): {name}", *_cost(each.costs[name])]
        for each in workloads
        for name in CONTENDERS[each.name]
    ]
    return table(head, rows)


def goals_table(measured: Measured) -> str:
    """Ratios and the largest shift, each with the goal."""
    rows = [_ratio(goal, each) for goal in GOALS for each in measured.workloads if each.name == goal.workload]
    if measured.flow_starts is not None:
        seconds = f"{measured.flow_starts.greatest_sec:.2f} s"
        rows.append(["largest shift of a word after a minute of silence", seconds, f"{GOAL_SEC:.1f} s"])
    return table(("goal of batchscribe", "measured", "at most"), rows)


def starts_table(flow: Starts, bare: Starts) -> str:
    head = ("shift of word starts", "words", "median", "95th percentile", "maximum")
    return table(head, [["batchscribe", *_starts(flow)], ["bare engine", *_starts(bare)]])


def _bounds(estimate: Estimate) -> tuple[float, float] | None:
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


def _size(category: Category) -> Iterator[str]:
    yield from (category.name, f"{category.recordings}", f"{category.words:,}")


def _cost(cost: Cost) -> Iterator[str]:
    yield from (f"{cost.cpu_sec:.1f} s", f"{cost.wall_sec:.1f} s", f"{cost.peak_bytes / 2**20:.0f} MiB")


def _starts(starts: Starts) -> Iterator[str]:
    yield f"{starts.words}"
    yield from (f"{value:.2f} s" for value in (starts.median_sec, starts.p95_sec, starts.greatest_sec))


def _ratio(goal: Goal, workload: Workload) -> list[str]:
    flow, other = (getattr(workload.costs[name], goal.field) for name in (CONTENDERS[goal.workload][0], goal.against))
    text = f"{UNITS[goal.field]} for {goal.workload}, relative to {goal.against}"
    return [text, f"{flow / other:.2f}", f"{goal.most:.2f}"]
