"""Which file gets the next free slot of a process."""

from __future__ import annotations

import threading

import pytest

from batchscribe.errors import WorkInterrupted
from batchscribe.stages.slots import Slots
from tests.integration.command import wait_until


def nothing() -> None:
    """Keep waiting."""


def n_requests(slots: Slots) -> int:
    """Return how many files have a slot or wait for one."""
    return slots._taken + len(slots._waiting)  # noqa: SLF001


class File(threading.Thread):
    """A thread that requests a slot, records its name when it has it, and keeps it until released."""

    def __init__(self, slots: Slots, diary: list[str], name: str, tenant: str, job_number: int) -> None:
        super().__init__(name=name, daemon=True)
        self.done = threading.Event()
        self._ask = slots, diary, tenant, job_number
        before = n_requests(slots)
        self.start()
        wait_until(lambda: n_requests(slots) > before)  # in the order of their creation

    def run(self) -> None:
        slots, diary, tenant, job_number = self._ask
        with slots.take_one(tenant, job_number, nothing):
            diary.append(self.name)
            self.done.wait(60)

    def end(self) -> None:
        self.done.set()
        self.join(60)


def order_of_starts(*files: tuple[str, str, int]) -> list[str]:
    """Return the order in which (name, tenant, job) files start. They request two slots in this order."""
    diary: list[str] = []
    slots = Slots(2)
    threads = [File(slots, diary, *file) for file in files]
    for started in range(2, len(files) + 1):
        wait_until(lambda: len(diary) == started)  # noqa: B023 - it ends before the next round
        next(thread for thread in threads if thread.name == diary[started - 2]).end()
    wait_until(lambda: len(diary) == len(files))
    for thread in threads:
        thread.end()
    return diary


def test_a_free_slot_goes_to_the_tenant_with_the_fewest_running_files() -> None:
    diary: list[str] = []
    slots = Slots(4)
    files = [("a0", "a", 1), ("a1", "a", 1), ("a2", "a", 1), ("b0", "b", 2), ("a3", "a", 1), ("b1", "b", 2)]
    threads = [File(slots, diary, *file) for file in files]
    wait_until(lambda: len(diary) == 4)
    threads[0].end()
    wait_until(lambda: len(diary) == 5)
    assert diary[4] == "b1"
    for thread in threads:
        thread.done.set()
    for thread in threads:
        thread.end()


def test_a_tenant_without_a_running_file_does_not_wait_for_a_slot() -> None:
    """Among as many tenants as slots, however long the files of another take."""
    diary: list[str] = []
    slots = Slots(2)
    asking = [("large0", "a", 1), ("large1", "a", 1), ("large2", "a", 1), ("b0", "b", 2), ("b1", "b", 2), ("c", "c", 3)]
    threads = [File(slots, diary, *file) for file in (*asking, ("d", "d", 4))]
    wait_until(lambda: len(diary) == 4)
    assert diary == ["large0", "large1", "b0", "c"]
    threads[0].end()
    wait_until(lambda: len(diary) == 5)
    assert diary[4:] == ["d"]
    for thread in threads:
        thread.done.set()
    for thread in threads:
        thread.end()
    assert sorted(diary) == sorted(thread.name for thread in threads)
    assert slots.wait_empty(60.0)


def test_between_jobs_of_one_tenant_the_slot_goes_to_the_one_with_the_fewest() -> None:
    large = [(f"large{number}", "one", 1) for number in range(4)]
    assert order_of_starts(*large, ("small", "one", 2))[:3] == ["large0", "large1", "small"]


def test_within_a_job_the_slot_goes_to_the_file_that_waits_longest() -> None:
    files = [(f"file{number}", "one", 1) for number in range(5)]
    assert order_of_starts(*files) == [name for name, _, _ in files]


def test_a_file_that_stops_waiting_takes_no_slot() -> None:
    slots, diary = Slots(1), list[str]()
    holder = File(slots, diary, "holder", "one", 1)

    def interrupted() -> None:
        raise WorkInterrupted("The job has ended.")

    with pytest.raises(WorkInterrupted), slots.take_one("two", 2, interrupted):
        pass
    holder.end()
    assert slots.wait_empty(1.0)


def test_the_slots_are_empty_when_the_last_file_is_done_and_then_stay_taken() -> None:
    slots, diary = Slots(2), list[str]()
    holder = File(slots, diary, "holder", "one", 1)
    assert not slots.wait_empty(0.05)
    holder.end()
    assert slots.wait_empty(60.0)
    late = File(slots, diary, "late", "one", 1)
    assert diary == ["holder"]
    late.done.set()
