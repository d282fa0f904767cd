"""One run: a house, a workload, faults in an order that a seed decides, and then the truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.faults import Troubles, planned_kills, strike
from tests.chaos.figures import Figures
from tests.chaos.houses import House, Shape, open_house
from tests.chaos.invariants import Evidence
from tests.chaos.service import left_behind
from tests.chaos.workload import Workload

READY_SEC = 90.0
LOOK_SEC = 0.2
MOST_OPEN_ORDERS = 4
ORDER_SEC = 60.0  #: for the steps that are still to be passed when all other kills are done
END_SEC = 180.0  #: for all jobs to end, once nothing disturbs them any more
SETTLE_SEC = 120.0  #: from there on, for webhooks, secrets and tasks
STUCK_SEC = 5.0  #: instead, when not all jobs have ended
BUSY, LEFT = "every start beyond the first has its fault", "no process is left behind"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`kill_every_sec` and `trouble_every_sec` are the least and the most seconds between two."""

    shape: Shape
    seed: int
    kills: int  #: in all
    steps: tuple[str, ...]  #: one of the kills is at each of these
    kill_every_sec: tuple[float, float]
    trouble_every_sec: tuple[float, float]
    mean_files: int = 25
    unfinished_jobs: int = 3
    cancels_every_sec: float = 60.0  #: on average


@dataclass(slots=True)
class Result:
    """What came of a plan; `violations` by what was checked, empty lists included."""

    plan: Plan
    figures: Figures
    violations: dict[str, list[str]]
    not_reached: list[str]  #: steps that nobody passed although there was an order
    took_sec: float
    settled_sec: float  #: from the last fault until all was in order
    engine_rows: dict[str, int]
    refusals: int

    @property
    def is_good(self) -> bool:
        return not any(self.violations.values())


@dataclass(slots=True)
class Run:
    plan: Plan
    house: House
    workload: Workload
    random: Random
    tell: Tell
    _over: threading.Event = field(default_factory=threading.Event)
    _error: list[BaseException] = field(default_factory=list)

    def go(self) -> Result:
        began_at = time.monotonic()
        self._wait_until_ready()
        client = threading.Thread(target=self._be_client, daemon=True)
        client.start()
        not_reached = self._disturb()
        self._over.set()
        client.join()
        if self._error:
            raise self._error[0]
        calm_at = time.monotonic()
        self._wait_for_jobs()
        violations, evidence = self._settle()
        return Result(
            plan=self.plan,
            figures=Figures(self.house, self.workload.jobs),
            violations=violations,
            not_reached=not_reached,
            took_sec=time.monotonic() - began_at,
            settled_sec=time.monotonic() - calm_at,
            engine_rows=evidence.engine_rows,
            refusals=self.workload.refusals,
        )

    def _wait_until_ready(self) -> None:
        """With the first job accepted."""
        job = self.workload.submit()
        deadline = time.monotonic() + READY_SEC
        while not job.job_id:
            assert time.monotonic() < deadline, f"the service does not come up: {self.house.logs()[-3000:]}"
            time.sleep(LOOK_SEC)
            self.workload.try_again(job)

    def _be_client(self) -> None:
        """What goes wrong here is told by `go`."""
        try:
            while not self._over.wait(LOOK_SEC):
                self.workload.keep_busy(self.plan.unfinished_jobs)
                under_way = [job for job in self.workload.unfinished() if job.job_id and not job.asked_to_cancel]
                if under_way and self.random.random() < LOOK_SEC / self.plan.cancels_every_sec:
                    self.workload.cancel(self.random.choice(under_way))
        except BaseException as error:
            self._error.append(error)
            raise

    def _disturb(self) -> list[str]:
        """The steps that were not passed."""
        random = Random(self.plan.seed)  # noqa: S311 - no secret
        troubles = Troubles(self.house, random)
        trouble_at = time.monotonic() + random.uniform(*self.plan.trouble_every_sec)
        trouble_names: list[str] = []
        kills = planned_kills(self.plan.kills, self.plan.steps, self.plan.shape, random)
        for number, kill in enumerate(kills, 1):
            time.sleep(random.uniform(*self.plan.kill_every_sec))
            self._wait_for_orders(MOST_OPEN_ORDERS)
            self._strike(kill, random)
            self.tell(f"{self.plan.shape} {number}/{self.plan.kills}: {kill}")
            if time.monotonic() > trouble_at:
                trouble_names = trouble_names or troubles.names()
                trouble = trouble_names.pop(random.randrange(len(trouble_names)))
                self.tell(f"{self.plan.shape}: {trouble}")
                troubles.begin(trouble)
                trouble_at = time.monotonic() + random.uniform(*self.plan.trouble_every_sec)
        self._wait_for_orders(0, within_sec=ORDER_SEC / 2)
        if self.house.orders.open():
            troubles.begin("worker terminated")  # for steps of a worker's start and end
            self._wait_for_orders(0)
        troubles.end()
        return [step for step in self.house.orders.open() if self.house.orders.withdraw(step)]

    def _strike(self, kill: str, random: Random) -> None:
        """Wait for somebody to kill, where there is nobody at the moment."""
        deadline = time.monotonic() + READY_SEC
        while not strike(kill, self.house, random):
            assert time.monotonic() < deadline, f"there is no {kill} to kill: {self.house.logs()[-3000:]}"
            time.sleep(LOOK_SEC)

    def _wait_for_orders(self, most: int, *, within_sec: float = ORDER_SEC) -> None:
        deadline = time.monotonic() + within_sec
        while len(self.house.orders.open()) > most and time.monotonic() < deadline and not self._error:
            time.sleep(LOOK_SEC)

    def _wait_for_jobs(self) -> None:
        deadline = time.monotonic() + END_SEC
        while self.workload.unfinished() and time.monotonic() < deadline:
            for job in self.workload.unfinished():
                self.workload.look(job)
            time.sleep(LOOK_SEC)
        self.tell(f"{self.plan.shape}: {len(self.workload.jobs)} jobs, {len(self.workload.unfinished())} unfinished")

    def _settle(self) -> tuple[dict[str, list[str]], Evidence]:
        """Some things take a moment after a job's end; what is not in order by then never will be."""
        deadline = time.monotonic() + (SETTLE_SEC if not self.workload.unfinished() else STUCK_SEC)
        while True:
            evidence = Evidence(self.house, self.workload)
            violations = evidence.violations()
            if not any(violations.values()) or time.monotonic() > deadline:
                return violations, evidence
            time.sleep(1.0)


def keep_rows(evidence: Evidence, path: Path) -> None:
    """What the database says, for whoever looks for the mistake."""
    with path.open("w") as file:
        for table in ("job", "shard", "file", "worker", "webhook_delivery", evidence.tasks_table):
            rows = evidence.query(f"SELECT * FROM {table}")  # noqa: S608 - our own names
            file.writelines(f"{table} {dict(row._mapping)}\n" for row in rows)  # noqa: SLF001 - SQLAlchemy's public name


def run(plan: Plan, folder: Path, tell: Tell) -> Result:
    """Everything of it lies below `folder` afterwards: ledger and logs."""
    random = Random(plan.seed)  # noqa: S311 - no secret
    with open_house(plan.shape, folder, plan.seed) as house:
        workload = house.client(random, plan.mean_files)
        result = Run(plan, house, workload, random, tell).go()
        if not result.is_good:
            keep_rows(Evidence(house, workload), folder / "rows.txt")
    figures = result.figures
    repeated = figures.starts - figures.heard
    excess = repeated > figures.starts_allowed
    result.violations[BUSY] = [f"{repeated} repeated starts, {figures.starts_allowed} allowed"] if excess else []
    result.violations[LEFT] = left_behind(house.ledger)
    return result
