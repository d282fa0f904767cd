"""One run: processes, a workload, faults in a seeded order, and finally the checks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.figures import Figures
from tests.chaos.fitness import Fitness
from tests.chaos.greed import be_greedy
from tests.chaos.health import watched_health
from tests.chaos.houses import SMALL, House, Shape, open_house
from tests.chaos.invariants import Evidence
from tests.chaos.kills import planned_kills, strike
from tests.chaos.service import left_behind
from tests.chaos.small_tenant import FAULTS, GREEDY, STARVING, USUAL, SmallTenant
from tests.chaos.troubles import SICK, TERMINATED, Troubles, starve
from tests.chaos.workload import Workload

READY_SEC = 90.0
LOOK_SEC = 0.2
MOST_OPEN_ORDERS = 4
ORDER_SEC = 60.0  #: for the remaining steps after all other kills
BACK_SEC = 120.0  #: for all sick workers to work again: their trials may be a minute apart
END_SEC = 180.0  #: for all jobs to end after the last fault
SETTLE_SEC = 120.0  #: after that, for webhooks, secrets and tasks
STUCK_SEC = 5.0  #: instead, if not all jobs have ended
BUSY, LEFT = "every repeated start is explained by a fault", "no process is left behind"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """`kill_every_sec` and `trouble_every_sec` are the minimum and maximum seconds between two."""

    shape: Shape
    seed: int
    kills: int  #: in all
    steps: tuple[str, ...]  #: one of the kills is at each of these
    kill_every_sec: tuple[float, float]
    trouble_every_sec: tuple[float, float]
    troubles: tuple[str, ...] | None = (
        None  #: all of these in this order; by default random ones, as long as there are kills
    )
    beside_sec: float = (
        0.0  #: how long the small tenant is measured under each of three conditions, before the first kill
    )
    mean_files: int = 25
    unfinished_jobs: int = 3
    cancels_every_sec: float = 60.0  #: on average


@dataclass(slots=True)
class Result:
    """The result of a plan. `violations` are by check, including empty lists."""

    plan: Plan
    figures: Figures
    violations: dict[str, list[str]]
    not_reached: list[str]  #: steps that no process reached although there was an order
    took_sec: float
    settled_sec: float  #: from the last fault until all invariants hold
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
    small: SmallTenant
    random: Random
    tell: Tell
    _over: threading.Event = field(default_factory=threading.Event)
    _error: list[BaseException] = field(default_factory=list)

    def go(self) -> Result:
        began_at = time.monotonic()
        self._wait_until_ready()
        clients = [threading.Thread(target=self._be_client, daemon=True)]
        clients[0].start()
        self._watch_small()
        clients.append(threading.Thread(target=self._be_small, daemon=True))
        clients[1].start()
        not_reached = self._disturb()
        calm_at = time.monotonic()
        self._wait_until_all_work()
        self._over.set()
        self.small.end()
        for client in clients:
            client.join()
        if self._error:
            raise self._error[0]
        self._wait_for_jobs()
        violations, evidence = self._settle()
        return Result(
            plan=self.plan,
            figures=Figures(self.house),
            violations=violations,
            not_reached=not_reached,
            took_sec=time.monotonic() - began_at,
            settled_sec=time.monotonic() - calm_at,
            engine_rows=evidence.engine_rows,
            refusals=sum(client.refusals for client in self.house.clients.values()),
        )

    def _wait_until_ready(self) -> None:
        """Wait until the first job is accepted."""
        job = self.workload.submit()
        deadline = time.monotonic() + READY_SEC
        while not job.job_id:
            assert time.monotonic() < deadline, f"the service does not come up: {self.house.logs()[-3000:]}"
            time.sleep(LOOK_SEC)
            self.workload.try_again(job)

    def _be_client(self) -> None:
        """Run the client. `go` raises its errors."""
        with self._errors_told():
            while not self._over.wait(LOOK_SEC):
                self.workload.keep_busy(self.plan.unfinished_jobs)
                under_way = [job for job in self.workload.unfinished() if job.job_id and not job.asked_to_cancel]
                if under_way and self.random.random() < LOOK_SEC / self.plan.cancels_every_sec:
                    self.workload.cancel(self.random.choice(under_way))

    def _be_small(self) -> None:
        with self._errors_told():
            self.small.wait_until_over(FAULTS)

    @contextmanager
    def _errors_told(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._error.append(error)
            raise

    def _watch_small(self) -> None:
        """Measure the small tenant's waits while nothing is killed."""
        if self.plan.beside_sec:
            self.small.wait_for(self.plan.beside_sec, USUAL)
            for begin, beside in ((starve, STARVING), (be_greedy, GREEDY)):
                end = begin(self.house, self.random)
                self.small.wait_for(self.plan.beside_sec, beside)
                end()

    def _disturb(self) -> list[str]:
        """Kill processes. Return the steps that were not reached."""
        random = Random(self.plan.seed)  # noqa: S311 - no secret
        troubles, planned = Troubles(self.house, random), list(self.plan.troubles or ())
        trouble_at = time.monotonic() + random.uniform(*self.plan.trouble_every_sec)
        kills = planned_kills(self.plan.kills, self.plan.steps, self.plan.shape, random)
        for number, kill in enumerate(kills, 1):
            time.sleep(random.uniform(*self.plan.kill_every_sec))
            self._wait_for_orders(MOST_OPEN_ORDERS)
            self._strike(kill, random)
            self.tell(f"{self.plan.shape} {number}/{self.plan.kills}: {kill}")
            if time.monotonic() > trouble_at:
                self._trouble(troubles, planned)
                trouble_at = time.monotonic() + random.uniform(*self.plan.trouble_every_sec)
        while planned or troubles.goes_on(SICK):
            time.sleep(LOOK_SEC)
            if planned:
                self._trouble(troubles, planned)
        self._wait_for_orders(0, within_sec=ORDER_SEC / 2)
        if self.house.orders.open():
            troubles.begin(TERMINATED)  # for the steps of a worker's start and end
            self._wait_for_orders(0)
        troubles.end()
        return [step for step in self.house.orders.open() if self.house.orders.withdraw(step)]

    def _trouble(self, troubles: Troubles, planned: list[str]) -> None:
        """Begin the plan's next trouble if it can begin now, or a random one if the plan names none."""
        if self.plan.troubles is None:
            self.tell(f"{self.plan.shape}: {troubles.begin_any()}")
        elif planned and troubles.begin(planned[0]):
            self.tell(f"{self.plan.shape}: {planned.pop(0)}")

    def _wait_until_all_work(self) -> None:
        """Wait until all sick workers work again, as long as there are jobs."""
        deadline = time.monotonic() + BACK_SEC
        while Fitness(self.house).not_back and time.monotonic() < deadline and not self._error:
            time.sleep(LOOK_SEC)

    def _strike(self, kill: str, random: Random) -> None:
        """Kill a process; wait for a victim if there is none now."""
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
        while self.house.unfinished() and time.monotonic() < deadline:
            for client in self.house.clients.values():
                for job in client.unfinished():
                    client.look(job)
            time.sleep(LOOK_SEC)
        self.tell(f"{self.plan.shape}: {len(self.house.jobs)} jobs, {len(self.house.unfinished())} unfinished")

    def _settle(self) -> tuple[dict[str, list[str]], Evidence]:
        """Wait for the invariants to hold. Some need a moment after the jobs' end."""
        deadline = time.monotonic() + (SETTLE_SEC if not self.house.unfinished() else STUCK_SEC)
        while True:
            evidence = Evidence(self.house)
            violations = evidence.violations()
            if not any(violations.values()) or time.monotonic() > deadline:
                return violations, evidence
            time.sleep(1.0)


def keep_rows(evidence: Evidence, path: Path) -> None:
    """Keep the database rows for the analysis of a violation."""
    with path.open("w") as file:
        for table in ("job", "shard", "file", "worker", "webhook_delivery", evidence.tasks_table):
            rows = evidence.query(f"SELECT * FROM {table}")  # noqa: S608 - our own names
            file.writelines(f"{table} {dict(row._mapping)}\n" for row in rows)  # noqa: SLF001 - SQLAlchemy's public name


def run(plan: Plan, folder: Path, tell: Tell) -> Result:
    """Run a plan. Ledger and logs are kept below `folder`."""
    random = Random(plan.seed)  # noqa: S311 - no secret
    with open_house(plan.shape, folder, plan.seed) as house, watched_health(house):
        workload = house.client("job", random, plan.mean_files)
        small = SmallTenant(house.client("small", random, tenant=SMALL))
        result = Run(plan, house, workload, small, random, tell).go()
        if not result.is_good:
            keep_rows(Evidence(house), folder / "rows.txt")
    figures = result.figures
    repeated = figures.starts - figures.heard
    excess = repeated > figures.starts_allowed
    result.violations[BUSY] = [f"{repeated} repeated starts, {figures.starts_allowed} allowed"] if excess else []
    result.violations[LEFT] = left_behind(house.ledger)
    return result
