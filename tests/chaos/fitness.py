"""Sick workers: when they noticed it, what they started while sick, and when they worked again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tests.chaos.houses import House
from tests.chaos.ledger import Entry
from tests.chaos.service import Service

UNFIT, FIT_AGAIN = "machine.unfit", "machine.fit_again"  #: in the log
TOLD_SEC = 5.0  #: maximum delay between the end of a sickness and the observation of the worker's report


@dataclass(frozen=True, slots=True)
class Sick:
    """One sickness of one worker. Times are Unix seconds."""

    sickness: str
    service: str
    began_at: float
    ended_at: float | None
    told_sec: float | None  #: until it reported it; None if it did not
    back_sec: float | None  #: from the end until it started a file; None if it did not before it was sick again
    is_own_end: bool  #: whether its process exited while sick, without a kill


@dataclass(frozen=True)
class Fitness:
    house: House

    @cached_property
    def sick(self) -> list[Sick]:
        ends = {(e.facts["service"], e.facts["began_at"]): e.at for e in self.house.ledger.entries("well")}
        begins = self.house.ledger.entries("sick")
        return [self._sick(entry, ends.get((entry.facts["service"], entry.facts["began_at"]))) for entry in begins]

    def _sick(self, entry: Entry, ended_at: float | None) -> Sick:
        service, began_at = entry.facts["service"], entry.at
        told = [at for at in self._told[service] if began_at <= at <= (ended_at or at) + TOLD_SEC]
        again_at = min((at for at in self._befallen[service] if at > began_at), default=float("inf"))
        back = [at for at in self._starts[service] if ended_at is not None and ended_at < at < again_at]
        return Sick(
            sickness=entry.facts["sickness"],
            service=service,
            began_at=began_at,
            ended_at=ended_at,
            told_sec=told[0] - began_at if told else None,
            back_sec=back[0] - ended_at if back and ended_at is not None else None,
            is_own_end=any(
                end.facts["name"] == service
                and end.facts["status"] != -9
                and began_at <= end.at <= (ended_at or end.at)
                for end in self.house.ledger.entries("end")
            ),
        )

    @cached_property
    def not_back(self) -> list[str]:
        """Workers that have not started a file since their last sickness, or are still sick."""
        last = {each.service: each for each in self.sick}
        return [name for name, each in last.items() if each.back_sec is None]

    @cached_property
    def unfit_times(self) -> list[tuple[str, float, float]]:
        """Service, start and end of each period in which a worker was unfit, by its log."""
        return [times for service in self.house.workers for times in self._unfit_times(service)]

    @cached_property
    def begun_while_unfit(self) -> list[tuple[str, float, int]]:
        """Service, start, and number of started files of each such period."""
        return [
            (name, begin, sum(begin < at < end for at in self._starts[name])) for name, begin, end in self.unfit_times
        ]

    def _unfit_times(self, service: Service) -> Iterator[tuple[str, float, float]]:
        events = [*_lines(service), *((at, "", "begin") for at in self._begins[service.name])]
        unfit: set[str] = set()
        since = 0.0
        for at, part, event in sorted(events):
            was_unfit = bool(unfit)
            if event == UNFIT:
                unfit.add(part)
                since = since if was_unfit else at
            elif event == FIT_AGAIN:
                unfit.discard(part)
            else:
                unfit.clear()
            if was_unfit and not unfit:
                yield service.name, since, at
        if unfit:
            yield service.name, since, float("inf")

    @cached_property
    def _names(self) -> dict[int, str]:
        """Names of services by process ID."""
        return {entry.facts["target"]: entry.facts["name"] for entry in self.house.ledger.entries("begin")}

    @cached_property
    def _begins(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = defaultdict(list)
        for entry in self.house.ledger.entries("begin"):
            found[entry.facts["name"]].append(entry.at)
        return found

    @cached_property
    def _starts(self) -> dict[str, list[float]]:
        """Times at which each service started files."""
        found: dict[str, list[float]] = defaultdict(list)
        for entry in self.house.ledger.entries("start"):
            if entry.facts["start_sec"] == 0.0:
                found[self._names.get(entry.facts["worker"], "")].append(entry.at)
        return found

    @cached_property
    def _befallen(self) -> dict[str, list[float]]:
        """Times at which each service got sick."""
        found: dict[str, list[float]] = defaultdict(list)
        for entry in self.house.ledger.entries("sick"):
            found[entry.facts["service"]].append(entry.at)
        return found

    @cached_property
    def _told(self) -> dict[str, list[float]]:
        """Times at which each service was observed to report that it is unfit."""
        found: dict[str, list[float]] = defaultdict(list)
        for entry in self.house.ledger.entries("told"):
            if entry.facts["parts"]:
                found[self._names.get(entry.facts["target"], "")].append(entry.at)
        return found


def _lines(service: Service) -> Iterator[tuple[float, str, str]]:
    """Return time, part and event. A killed process may leave half a line."""
    for line in service.log.read_text(errors="replace").splitlines():
        if UNFIT in line or FIT_AGAIN in line:
            try:
                facts = json.loads(line)
            except ValueError:
                continue
            if facts["event"] in (UNFIT, FIT_AGAIN):
                yield datetime.fromisoformat(facts["timestamp"]).timestamp(), facts["part"], facts["event"]
