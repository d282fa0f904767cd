"""The meter of a file: work for it counts, whichever thread does it, and trials count for no file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from batchscribe.cost import Cost, current_meter, measure_cost
from batchscribe.speech.batches import BatchQueue
from tests.unit.test_speech_scripted import request


def test_what_is_taken_is_not_taken_again() -> None:
    with measure_cost() as meter:
        current_meter().add(compute_sec=1.0, bytes_in=3)
        current_meter().add(compute_sec=0.5)
        assert meter.take() == Cost(1.5, 3)
        assert meter.take() == Cost()


def test_work_for_no_file_has_a_meter_of_its_own() -> None:
    current_meter().add(compute_sec=1.0)
    with measure_cost() as meter:
        assert meter.take() == Cost()


def test_a_window_keeps_the_meter_of_its_file_in_the_thread_of_an_engine() -> None:
    queue = BatchQueue(1)
    with measure_cost() as meter:
        queue.put(request(), "a")
        [ticket] = queue.take(1)
    with ThreadPoolExecutor(2) as threads:
        for _ in range(100):
            threads.submit(ticket.meter.add, compute_sec=1.0)
    assert meter.take() == Cost(100.0)
