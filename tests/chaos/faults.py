"""What is done to a house: kills, one after the other, and troubles that last a while."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import psutil

from tests.chaos.houses import SILENT_SEC, House, Shape
from tests.chaos.service import DECODER, ENGINE, FORK_SERVER, Service, children_of
from tests.chaos.weather import Sky

WORKER, API = "worker", "api"
WEIGHTS = {WORKER: 6, API: 2, ENGINE: 4, DECODER: 4, FORK_SERVER: 1}
STEP_PREFIX = "step "


def planned_kills(count: int, steps: Sequence[str], shape: Shape, random: Random) -> list[str]:
    """One at each of these steps, and the others of a kind of process at any moment."""
    kinds = [kind for kind in WEIGHTS if shape is not Shape.EMBEDDED or kind != API]
    at_any_moment = random.choices(kinds, [WEIGHTS[kind] for kind in kinds], k=count - len(steps))
    kills = [*(STEP_PREFIX + step for step in steps), *at_any_moment]
    random.shuffle(kills)
    return kills


def strike(kill: str, house: House, random: Random) -> bool:
    """False when there is nobody to be killed at the moment. At a step it happens when that is next passed."""
    if kill.startswith(STEP_PREFIX):
        house.orders.give(kill.removeprefix(STEP_PREFIX))
        return True
    if kill in (WORKER, API):
        return _kill_service(random.choice(house.workers if kill == WORKER else house.apis), kill, house)
    children = children_of(house.ledger, kill)
    return bool(children) and _kill_child(random.choice(children), kill, house)


def _kill_service(service: Service, kind: str, house: House) -> bool:
    pid = service.signal(signal.SIGKILL)
    if pid is not None:
        house.ledger.note("kill", victim=kind, target=pid)
    return pid is not None


def _kill_child(child: psutil.Process, kind: str, house: House) -> bool:
    try:
        child.kill()
    except psutil.NoSuchProcess:
        return False
    house.ledger.note("kill", victim=kind, target=child.pid)
    return True


@dataclass(slots=True)
class Troubles:
    """Those of a house, each at most once at a time. `end` lifts all."""

    house: House
    random: Random
    _timers: dict[str, threading.Timer] = field(default_factory=dict)
    _endings: dict[str, Callable[[], None]] = field(default_factory=dict)

    def names(self) -> list[str]:
        """What can happen to this house."""
        names = ["storage refuses", "storage slow", "storage cuts"]
        names += ["receiver down", "receiver refuses", "receiver cuts"]
        names += ["worker terminated"]
        if self.house.shape is not Shape.EMBEDDED:
            names += ["worker paused", "worker paused"]
        if self.house.postgresql is not None:
            names += ["database restarted", "database restarted"]
        if self.house.disk is not None:
            names += ["disk full", "disk full"]
        return names

    def begin(self, name: str) -> None:
        topic, _, word = name.partition(" ")
        if topic in self._endings:
            return
        self.house.ledger.note("trouble", name=name, target=None)
        match topic:
            case "storage":
                self.house.storage.set(Sky(word), self.random.choice([0.3, 1.0]) if word != Sky.CUTS else 0.5)
                self._until(topic, self.random.uniform(2, 6), lambda: self.house.storage.set(Sky.CLEAR))
            case "receiver":
                self.house.receiver.set(Sky(word))
                self._until(topic, self.random.uniform(2, 6), lambda: self.house.receiver.set(Sky.CLEAR))
            case "disk":
                self._fill_disk()
            case "database":
                assert self.house.postgresql is not None
                self.house.postgresql.restart("immediate")
            case "worker":
                self._trouble_worker(word, self.random.choice(self.house.workers))

    def end(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
            timer.join()
        for ending in list(self._endings.values()):
            ending()
        self._endings.clear()

    def _fill_disk(self) -> None:
        assert self.house.disk is not None
        self.house.disk.fill()
        self._until("disk", self.random.uniform(2, 6), self.house.disk.free)

    def _trouble_worker(self, word: str, service: Service) -> None:
        """`paused` for so long that others have its files, or `terminated` as by its service manager."""
        number = signal.SIGSTOP if word == "paused" else signal.SIGTERM
        pid = service.signal(number)
        self.house.ledger.note("unsettled", name=word, target=pid)
        if word == "paused" and pid is not None:
            self._until("worker", SILENT_SEC + self.random.uniform(2, 10), lambda: _go_on(pid))

    def _until(self, topic: str, seconds: float, ending: Callable[[], None]) -> None:
        def end() -> None:
            ending()
            self._endings.pop(topic, None)

        self._endings[topic] = ending
        timer = self._timers[topic] = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()


def _go_on(pid: int) -> None:
    try:
        psutil.Process(pid).send_signal(signal.SIGCONT)
    except psutil.NoSuchProcess:
        return  # it was killed meanwhile
