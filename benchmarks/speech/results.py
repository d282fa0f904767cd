"""Results, as stored in docs/accuracy.json. The page, its plot and the README are generated from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.recordings import ROOT

KEPT = ROOT / "docs" / "accuracy.json"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % confidence interval; without bounds if there is too little data."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """Word error rates of some recordings. `bare` and `difference` are None for an engine that has no rival here."""

    name: str
    recordings: int
    words: int
    flow: Estimate
    bare: Estimate | None
    difference: Estimate | None  #: flow minus bare
    flow_loops: int
    bare_loops: int


@dataclass(frozen=True, slots=True)
class Words:
    categories: tuple[Category, ...]
    silent_recordings: int
    flow_invented: int  #: words recognized without speech
    bare_invented: int | None


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all processes together, from the first start to the last end."""

    cpu_sec: float
    wall_sec: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Workload:
    """The best of some runs of each contender."""

    name: str
    audio_sec: float
    costs: dict[str, Cost]


@dataclass(frozen=True, slots=True)
class Starts:
    """How far starts of words move when a minute of silence is put before them."""

    words: int
    median_sec: float
    p95_sec: float
    greatest_sec: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One model. Parts that were not measured are None or empty."""

    name: str
    date: str
    machine: str
    versions: str
    words: Words | None = None
    workloads: tuple[Workload, ...] = ()
    flow_starts: Starts | None = None
    bare_starts: Starts | None = None

    @property
    def title(self) -> str:
        return self.name if self.name == "pocketsphinx" else f"Whisper {self.name}"

    def category(self, name: str) -> Category | None:
        """Return a category; None if it was not measured."""
        categories = self.words.categories if self.words else ()
        return next((each for each in categories if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Results:
    models: tuple[Measured, ...] = ()

    def model(self, name: str) -> Measured:
        return next(each for each in self.models if each.name == name)

    def with_model(self, measured: Measured) -> Results:
        """Replace an earlier measurement of the same model, or append."""
        names = [each.name for each in self.models]
        if measured.name in names:
            return Results(tuple(measured if each.name == measured.name else each for each in self.models))
        return Results((*self.models, measured))


_ADAPTER = TypeAdapter(Results)


def load(path: Path = KEPT) -> Results:
    return _ADAPTER.validate_json(path.read_bytes()) if path.exists() else Results()


def save(results: Results, path: Path = KEPT) -> None:
    path.write_bytes(_ADAPTER.dump_json(results, indent=1) + b"\n")
