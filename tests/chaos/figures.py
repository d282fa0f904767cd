"""Figures of a run from its ledger: kills, repeated transcriptions, and how long they took."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from tests.chaos.fitness import Fitness
from tests.chaos.houses import ENGINES, House
from tests.chaos.ledger import Entry
from tests.chaos.service import DECODER, ENGINE, FORK_SERVER
from tests.chaos.workload import PostedJob

FILES_PER_ENGINE = 2  #: in progress at once
IN_HAND = ENGINES * FILES_PER_ENGINE + 1  #: files in progress of one worker: one more if it is another tenant's
STORED = 200


@dataclass(frozen=True)
class Figures:
    house: House

    @property
    def jobs(self) -> list[PostedJob]:
        return self.house.jobs

    @cached_property
    def fitness(self) -> Fitness:
        return Fitness(self.house)

    @cached_property
    def waits_sec(self) -> dict[str, list[float]]:
        """The waits of the small tenant, by the condition at the time."""
        found: dict[str, list[float]] = defaultdict(list)
        for entry in self.house.ledger.entries("waited"):
            found[entry.facts["beside"]].append(entry.facts["sec"])
        return found

    @cached_property
    def dry_runs(self) -> Counter[str]:
        """The dry runs of the greedy tenant, by status."""
        return Counter(str(entry.facts["status"]) for entry in self.house.ledger.entries("dry"))

    @cached_property
    def kills(self) -> Counter[str]:
        """Kills by victim, or by the name of the step."""
        return Counter(entry.facts.get("step") or entry.facts["victim"] for entry in self._kills)

    @cached_property
    def troubles(self) -> Counter[str]:
        return Counter(entry.facts["name"] for entry in self.house.ledger.entries("trouble"))

    @cached_property
    def files(self) -> int:
        return sum(len(job.calls) for job in self.jobs)

    @cached_property
    def heard(self) -> int:
        """Files that an engine started."""
        return len({entry.facts["number"] for entry in self._starts})

    @cached_property
    def starts(self) -> int:
        """Starts of these files."""
        return len(self._starts)

    @cached_property
    def starts_allowed(self) -> int:
        """The maximum number of starts: one per file, and the files in progress at each fault."""
        workers = len(self.house.workers)
        in_hand = sum(IN_HAND for entry in self._kills if self._is_worker(entry))
        in_hand += sum(entry.facts["victim"] in (ENGINE, DECODER) for entry in self._kills)
        in_hand += IN_HAND * self.kills[FORK_SERVER]
        in_hand += IN_HAND * len(self.house.ledger.entries("unsettled"))
        in_hand += IN_HAND * workers * self.troubles["database restarted"]
        # Files in progress when a worker notices that it is sick. Each failed window is retried once, alone.
        in_hand += 2 * IN_HAND * (len(self.fitness.sick) + len(self.fitness.unfit_times))
        return in_hand + self.failed_puts

    @cached_property
    def failed_puts(self) -> int:
        """PUTs of transcripts that were not answered, or answered with an error."""
        return sum(entry.facts["status"] != STORED for entry in self.house.ledger.entries("put"))

    @cached_property
    def written_twice(self) -> int:
        """Transcripts that were stored more than once. `Evidence` compares their bodies."""
        stored = Counter(entry.facts["key"] for entry in self._stored)
        return sum(count > 1 for count in stored.values())

    @cached_property
    def webhooks(self) -> Counter[str]:
        """The number of deliveries of each event."""
        return Counter(entry.facts["event_id"] for entry in self.house.ledger.entries("webhook"))

    @cached_property
    def own_ends(self) -> Counter[str]:
        """Processes that exited without being killed, by name and status."""
        ends = self.house.ledger.entries("end")
        return Counter(
            f"{entry.facts['name']}: {entry.facts['status']}" for entry in ends if entry.facts["status"] != -9
        )

    @cached_property
    def recoveries_sec(self) -> list[float]:
        """The time from the death of a worker until each of its files was started again by any worker."""
        starts: dict[int, list[Entry]] = defaultdict(list)
        for entry in self._starts:
            starts[entry.facts["number"]].append(entry)
        written = {_number(entry): entry.at for entry in reversed(self._stored)}
        found = []
        for kill in self._kills:
            for number, entries in starts.items():
                before = [entry for entry in entries if entry.at <= kill.at]
                after = [entry for entry in entries if entry.at > kill.at]
                had = bool(before) and before[-1].facts["worker"] == kill.facts["target"]
                if had and after and written.get(number, kill.at) >= kill.at:
                    found.append(after[0].at - kill.at)
        return sorted(found)

    def _is_worker(self, kill: Entry) -> bool:
        return kill.facts["target"] in self._worker_pids

    @cached_property
    def _worker_pids(self) -> set[int]:
        names = {service.name for service in self.house.workers}
        return {e.facts["target"] for e in self.house.ledger.entries("begin") if e.facts["name"] in names}

    @cached_property
    def _kills(self) -> list[Entry]:
        return self.house.ledger.entries("kill")

    @cached_property
    def _starts(self) -> list[Entry]:
        """Starts of files. Later windows do not count."""
        return [entry for entry in self.house.ledger.entries("start") if entry.facts["start_sec"] == 0.0]

    @cached_property
    def _stored(self) -> list[Entry]:
        return [entry for entry in self.house.ledger.entries("put") if entry.facts["status"] == STORED]


def _number(put: Entry) -> int:
    """Return the number of the call of a transcript; 0 if its name has none."""
    stem = PurePosixPath(put.facts["key"]).stem
    return int(stem) if stem.isdigit() else 0
