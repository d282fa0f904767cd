from __future__ import annotations

from threading import Thread

import numpy as np

from batchscribe.segment import SAMPLE_RATE, Segment
from batchscribe.speech.batches import BatchQueue, Ticket


def put(queue: BatchQueue, start_sec: float, language: str = "en-US", duration_sec: float = 1.0) -> Ticket:
    samples = np.zeros(int(duration_sec * SAMPLE_RATE), np.float32)
    return queue.put(Segment(0, start_sec, samples), language)


def starts(batch: list[Ticket]) -> list[float]:
    return [ticket.segment.start_sec for ticket in batch]


def test_who_came_first_is_served_first() -> None:
    queue = BatchQueue()
    for start_sec in range(5):
        put(queue, start_sec)
    assert starts(queue.take(2, 60.0)) == [0, 1]
    assert starts(queue.take(9, 60.0)) == [2, 3, 4]


def test_a_batch_has_one_language_and_that_of_the_longest_waiting() -> None:
    queue = BatchQueue()
    for start_sec, language in enumerate(["de-DE", "en-US", "de-DE", "en-US"]):
        put(queue, start_sec, language)
    assert starts(queue.take(9, 60.0)) == [0, 2]
    assert starts(queue.take(9, 60.0)) == [1, 3]


def test_a_batch_holds_no_more_audio_than_the_engine_likes() -> None:
    queue = BatchQueue()
    for start_sec in range(4):
        put(queue, start_sec, duration_sec=10.0)
    assert starts(queue.take(9, 25.0)) == [0, 1]


def test_a_segment_longer_than_the_engine_likes_is_a_batch_alone() -> None:
    queue = BatchQueue()
    put(queue, 0, duration_sec=40.0)
    put(queue, 1)
    assert starts(queue.take(9, 30.0)) == [0]


def test_a_cancelled_segment_is_never_taken() -> None:
    queue = BatchQueue()
    tickets = [put(queue, start_sec) for start_sec in range(3)]
    tickets[0].future.cancel()
    assert starts(queue.take(1, 60.0)) == [1]


def test_a_taker_waits_until_there_is_something() -> None:
    queue = BatchQueue()
    taken: list[list[Ticket]] = []
    taker = Thread(target=lambda: taken.append(queue.take(1, 60.0)))
    taker.start()
    ticket = put(queue, 0)
    taker.join(timeout=5)
    assert taken == [[ticket]]


def test_closing_wakes_the_takers_and_gives_back_what_nobody_took() -> None:
    queue = BatchQueue()
    taken: list[list[Ticket]] = []
    taker = Thread(target=lambda: taken.extend([queue.take(1, 60.0), queue.take(1, 60.0)]))
    first = put(queue, 0)
    taker.start()
    while not taken and queue.short_of_takers:
        pass
    queue.close()
    taker.join(timeout=5)
    assert taken == [[first], []]
    left = BatchQueue()
    waiting = put(left, 0)
    assert left.close() == [waiting]


def test_a_closed_queue_cancels_what_comes() -> None:
    queue = BatchQueue()
    queue.close()
    assert put(queue, 0).future.cancelled()


def test_a_queue_is_short_of_takers_when_more_wait_than_there_are() -> None:
    queue = BatchQueue()
    assert not queue.short_of_takers
    put(queue, 0)
    assert queue.short_of_takers
