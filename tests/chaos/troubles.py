"""Troubles at the same time as the kills. Each lasts for some time, or ends immediately."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random

import psutil

from tests.chaos.greed import be_greedy
from tests.chaos.houses import SILENT_SEC, House, Shape
from tests.chaos.service import Service
from tests.chaos.sickness import SICKNESSES, Ending, Sickness
from tests.chaos.weather import Sky

SICK = "sick worker"
ALL_SICK = "all workers sick"
TERMINATED = "worker terminated"
SHORT_SEC, LONG_SEC, SICK_SEC = (2.0, 6.0), (15.0, 35.0), (4.0, 9.0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """`begin` returns a function that ends the trouble after a time within `lasts_sec`; None if it is already over."""

    name: str
    topic: str  #: there is one trouble per topic at a time
    begin: Callable[[House, Random], Ending | None]
    lasts_sec: tuple[float, float] = SHORT_SEC
    often: int = 1  #: weight among the others


def troubles_of(house: House) -> list[Trouble]:
    """Return the possible troubles of a house, some of them several times."""
    found = [*_OF_EVERY_HOUSE, *map(_sick, _sicknesses(house))]
    if house.shape is not Shape.EMBEDDED:
        found += [Trouble("worker paused", "worker", _pause, (SILENT_SEC + 2, SILENT_SEC + 10), often=2)]
    if house.postgresql is not None:
        found += [Trouble("database restarted", "database", _restart_database, often=2)]
    if house.disk is not None:
        found += [Trouble("disk full", "disk", _fill_disk, often=2)]
    return [trouble for trouble in found for _ in range(trouble.often)]


def _weather(sky: Sky, *odds: float) -> Callable[[House, Random], Ending]:
    def begin(house: House, random: Random) -> Ending:
        house.storage.set(sky, random.choice(odds))
        return partial(house.storage.set, Sky.CLEAR)

    return begin


def starve(house: House, _random: Random) -> Ending:
    """Starve only the large tenant."""
    house.storage.set(Sky.STARVES, bucket=house.bucket)
    return partial(house.storage.set, Sky.CLEAR)


def _receiver(sky: Sky) -> Callable[[House, Random], Ending]:
    def begin(house: House, _random: Random) -> Ending:
        house.receiver.set(sky)
        return partial(house.receiver.set, Sky.CLEAR)

    return begin


def _terminate(house: House, random: Random) -> None:
    """Terminate a worker as its service manager does."""
    pid = random.choice(house.workers).signal(signal.SIGTERM)
    house.ledger.note("unsettled", name="terminated", target=pid)


def _pause(house: House, random: Random) -> Ending | None:
    """Pause a worker until others have taken over its files."""
    pid = random.choice(house.workers).signal(signal.SIGSTOP)
    house.ledger.note("unsettled", name="paused", target=pid)
    return None if pid is None else partial(_go_on, pid)


def _go_on(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):  # it was killed
        psutil.Process(pid).send_signal(signal.SIGCONT)


def _restart_database(house: House, _random: Random) -> None:
    assert house.postgresql is not None
    house.postgresql.restart("immediate")


def _fill_disk(house: House, _random: Random) -> Ending:
    assert house.disk is not None
    house.disk.fill()
    return house.disk.free


def _sick(sickness: Sickness) -> Trouble:
    def begin(house: House, random: Random) -> Ending | None:
        return _befall([random.choice(house.workers)], sickness, house, random)

    return Trouble(f"{SICK}: {sickness.name}", SICK, begin, SICK_SEC)


def _all_sick(house: House, random: Random) -> Ending | None:
    """Make all workers sick, so that none can take over."""
    chosen = random.choice([each for each in _sicknesses(house) if each.is_of_machine])
    return _befall(house.workers, chosen, house, random)


def _sicknesses(house: House) -> list[Sickness]:
    """Return the sicknesses that are possible here."""
    has_disks = all(service.machine.disk for service in house.workers)
    return [each for each in SICKNESSES if has_disks or not each.needs_disk]


def _befall(services: list[Service], sickness: Sickness, house: House, random: Random) -> Ending | None:
    """Make workers sick. Those that are not running are skipped."""
    endings = []
    for service in services:
        if (pid := service.pid) is None:
            continue
        facts = {"sickness": sickness.name, "service": service.name, "target": pid, "began_at": time.time()}
        house.ledger.note("sick", **facts)
        try:
            endings.append((sickness.befall(service, random), facts))
        except psutil.NoSuchProcess:  # it ended before anything was taken from it
            house.ledger.note("well", **facts)

    def end() -> None:
        for ending, facts in endings:
            ending()
            house.ledger.note("well", **facts)

    return end if endings else None


_OF_EVERY_HOUSE = (
    Trouble("storage refuses", "storage", _weather(Sky.REFUSES, 0.3, 1.0)),
    Trouble("storage slow", "storage", _weather(Sky.SLOW, 0.3, 1.0)),
    Trouble("storage cuts", "storage", _weather(Sky.CUTS, 0.5)),
    Trouble("storage starves", "storage", starve, LONG_SEC),
    Trouble("receiver down", "receiver", _receiver(Sky.DOWN)),
    Trouble("receiver refuses", "receiver", _receiver(Sky.REFUSES)),
    Trouble("receiver cuts", "receiver", _receiver(Sky.CUTS)),
    Trouble(TERMINATED, "worker", _terminate),
    Trouble("tenant greedy", "tenant", be_greedy, LONG_SEC),
    Trouble(ALL_SICK, SICK, _all_sick, SICK_SEC),
)


@dataclass(slots=True)
class Troubles:
    """The troubles of a house, one at a time."""

    house: House
    random: Random
    _timers: dict[str, threading.Timer] = field(default_factory=dict)
    _endings: dict[str, Ending] = field(default_factory=dict)  #: of the current troubles, by topic
    _left: list[Trouble] = field(default_factory=list)

    def begin_any(self) -> str:
        """Begin a trouble. Each occurs before any is repeated. Return its name."""
        self._left = self._left or troubles_of(self.house)
        trouble = self._left.pop(self.random.randrange(len(self._left)))
        self._begin(trouble)
        return trouble.name

    def begin(self, name: str) -> bool:
        """Begin a trouble. Return False if its topic is taken or if it is impossible now."""
        trouble = next((each for each in troubles_of(self.house) if each.name == name), None)
        return trouble is not None and self._begin(trouble)

    def goes_on(self, topic: str) -> bool:
        return topic in self._endings

    def end(self) -> None:
        """End all troubles."""
        for timer in self._timers.values():
            timer.cancel()
            timer.join()
        for ending in list(self._endings.values()):
            ending()
        self._endings.clear()

    def _begin(self, trouble: Trouble) -> bool:
        if trouble.topic in self._endings:
            return False
        self.house.ledger.note("trouble", name=trouble.name, target=None)
        ending = trouble.begin(self.house, self.random)
        if ending is not None:
            self._end_later(trouble.topic, self.random.uniform(*trouble.lasts_sec), ending)
        return True

    def _end_later(self, topic: str, seconds: float, ending: Ending) -> None:
        def end() -> None:
            try:
                ending()
            finally:
                self._endings.pop(topic, None)

        self._endings[topic] = ending
        timer = self._timers[topic] = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
