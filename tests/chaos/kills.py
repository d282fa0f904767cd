"""Kills, one at a time."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from random import Random

import psutil

from tests.chaos.houses import House, Shape
from tests.chaos.service import DECODER, ENGINE, FORK_SERVER, Service, children_of

WORKER, API = "worker", "api"
WEIGHTS = {WORKER: 6, API: 2, ENGINE: 4, DECODER: 4, FORK_SERVER: 1}
STEP_PREFIX = "step "


def planned_kills(count: int, steps: Sequence[str], shape: Shape, random: Random) -> list[str]:
    """Plan one kill at each of these steps, and the others at random moments."""
    kinds = [kind for kind in WEIGHTS if shape is not Shape.EMBEDDED or kind != API]
    at_any_moment = random.choices(kinds, [WEIGHTS[kind] for kind in kinds], k=count - len(steps))
    kills = [*(STEP_PREFIX + step for step in steps), *at_any_moment]
    random.shuffle(kills)
    return kills


def strike(kill: str, house: House, random: Random) -> bool:
    """Kill a process, or order a kill for the next time a step is reached. Return False if there is no victim now."""
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
