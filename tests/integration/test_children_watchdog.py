"""The watchdog: which child hangs, and which is only slow or waits for a core."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from batchscribe.children.watchdog import LOOK_SEC, ChildHangs, Watchdog
from tests.cpu_time import cpu_sec
from tests.starvation import starved
from tests.twins.clock import Clock

FOREVER = float("inf")
LOOK_EVERY_SEC = 0.2
#: For a machine that is busy.
LIMIT_SEC = 60.0
#: CPU seconds after which the system ends a child of these tests, even if the tests were killed.
MOST_CPU_SEC = 60

SLEEPS = "time.sleep(600)"
SPINS = "while True: pass"
SPINS_BESIDE = "threading.Thread(target=spin).start()"


@contextmanager
def child(does: str) -> Iterator[subprocess.Popen[str]]:
    """A process that does this forever."""
    script = f"""
import resource, threading, time
resource.setrlimit(resource.RLIMIT_CPU, ({MOST_CPU_SEC}, {MOST_CPU_SEC}))
def spin():
    while True: pass
print("ready", flush=True)
{does}
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def watched(
    pid: int, *, idle_sec: float = FOREVER, cpu_sec: float = FOREVER, clock: Callable[[], float] = time.monotonic
) -> Watchdog:
    dog = Watchdog(pid, clock=clock)
    dog.expect(idle_sec, cpu_sec)
    return dog


def look_for(dog: Watchdog, sec: float) -> None:
    """Raises `ChildHangs`."""
    end = time.monotonic() + sec
    while time.monotonic() < end:
        dog.look()
        time.sleep(LOOK_EVERY_SEC)


def test_a_child_that_sleeps_forever_hangs_when_its_idle_time_is_over() -> None:
    began_at = time.monotonic()
    with child(SLEEPS) as process, pytest.raises(ChildHangs, match=r"^used no CPU for 1.5 s$"):
        look_for(watched(process.pid, idle_sec=1.5), LIMIT_SEC)
    assert time.monotonic() - began_at > 1.5


def test_a_child_that_is_stopped_hangs_too() -> None:
    with child(SPINS) as process:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(ChildHangs, match="used no CPU for 1 s"):
            look_for(watched(process.pid, idle_sec=1.0), LIMIT_SEC)


def test_a_child_that_computes_without_end_hangs_when_its_cpu_time_is_used_up() -> None:
    with child(SPINS) as process:
        before_sec = cpu_sec(process.pid)
        with pytest.raises(ChildHangs, match=r"^used 1 s of CPU without an answer$"):
            look_for(watched(process.pid, idle_sec=LIMIT_SEC, cpu_sec=1.0), LIMIT_SEC)
        assert cpu_sec(process.pid) - before_sec >= 1.0


@pytest.mark.parametrize("does", [SPINS, SPINS_BESIDE], ids=["in its only thread", "in a second thread"])
def test_a_child_that_computes_is_never_idle(does: str) -> None:
    with child(does) as process:
        look_for(watched(process.pid, idle_sec=1.0), 3.0)


@pytest.mark.parametrize("does", [SPINS, SPINS_BESIDE], ids=["its only thread", "a second thread"])
def test_a_child_that_gets_no_core_does_not_hang(does: str) -> None:
    """It may use 0.3 % of a core, and the system counts CPU time in hundredths of a second."""
    with child(does) as process, starved(process.pid, LIMIT_SEC) as hog:
        before_sec = cpu_sec(process.pid)
        look_for(watched(process.pid, idle_sec=0.5), 5.0)
        assert hog.poll() is None
        assert cpu_sec(process.pid) - before_sec < 0.5, "it was not starved, so this proves nothing"


def test_an_ended_child_does_not_count_as_hung() -> None:
    """The pipe reports it."""
    with child("") as process:
        process.wait()
        look_for(watched(process.pid, idle_sec=0.0, cpu_sec=0.0), 1.0)


def test_each_answer_gives_the_child_its_whole_time_again() -> None:
    with child(SLEEPS) as process:
        dog = watched(process.pid, idle_sec=1.0)
        for _ in range(2):
            with pytest.raises(ChildHangs):
                look_for(dog, LIMIT_SEC)
            dog.expect(1.0, FOREVER)
            dog.look()


def test_the_time_in_which_the_parent_itself_was_stopped_does_not_count() -> None:
    clock = Clock()
    with child(SLEEPS) as process:
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)  # it does nothing at all from here on
        dog = watched(process.pid, idle_sec=10 * LOOK_SEC, clock=clock)

        def look_after(*secs: float) -> None:
            for sec in secs:
                clock.advance(sec)
                dog.look()

        look_after(0.0, 8 * 3600.0)  # the lid of the laptop was closed
        look_after(*[LOOK_SEC] * 7)
        with pytest.raises(ChildHangs):
            look_after(*[LOOK_SEC] * 20)
