"""Which windows form the next batch."""

from __future__ import annotations

from collections.abc import Hashable
from threading import Event, Thread

import numpy as np
import pytest

from batchscribe.speech.batches import BatchQueue, Ticket
from batchscribe.speech.engine import RecognitionRequest
from batchscribe.window import SAMPLE_RATE, Recognition, Window


def by_language(request: RecognitionRequest) -> Hashable:
    return request.language


def put(queue: BatchQueue, start_sec: float, file: Hashable = None, language: str = "en-US") -> Ticket:
    return queue.put(RecognitionRequest(Window(0, start_sec, np.zeros(SAMPLE_RATE, np.float32)), language), file)


def starts(batch: list[Ticket]) -> list[float]:
    return [ticket.request.window.start_sec for ticket in batch]


def test_requests_are_served_in_order() -> None:
    queue = BatchQueue(engines=1)
    for start_sec in range(5):
        put(queue, start_sec)
    assert starts(queue.take(2)) == [0, 1]
    assert starts(queue.take(9)) == [2, 3, 4]


def test_files_take_turns_and_each_keeps_its_order() -> None:
    """Each file's windows begin at its own hundred."""
    queue = BatchQueue(engines=1)
    for start_sec in (100, 101, 102, 103, 104):
        put(queue, start_sec, "long")
    put(queue, 200, "second")
    put(queue, 300, "third")
    put(queue, 201, "second")
    assert starts(queue.take(1)) == [100]
    assert starts(queue.take(5)) == [200, 300, 101, 201, 102]
    assert starts(queue.take(9)) == [103, 104]


def test_a_file_that_comes_late_waits_for_one_window_of_each_other_file_at_most() -> None:
    queue = BatchQueue(engines=1)
    for start_sec in range(100, 110):
        put(queue, start_sec, "long")
    assert starts(queue.take(3)) == [100, 101, 102]
    put(queue, 200, "late")
    assert 200 in starts(queue.take(2))


@pytest.mark.parametrize(
    ("engines", "waiting", "sizes"),
    [
        (1, 5, [5]),
        (1, 20, [16, 4]),
        (2, 10, [5, 3, 1, 1]),
        (4, 10, [3, 2, 2, 1, 1, 1]),
        (4, 3, [1, 1, 1]),
        (2, 100, [16, 16, 16, 16, 16, 10, 5, 3, 1, 1]),
    ],
)
def test_a_batch_is_one_engines_share_of_what_waits(engines: int, waiting: int, sizes: list[int]) -> None:
    queue = BatchQueue(engines)
    for start_sec in range(waiting):
        put(queue, start_sec, file=start_sec % 3)
    taken = [queue.take(16) for _ in sizes]
    assert [len(batch) for batch in taken] == sizes
    assert sorted(start for batch in taken for start in starts(batch)) == list(range(waiting))
    assert queue.backlog == 0


def test_the_backlog_counts_the_windows_not_yet_taken() -> None:
    queue = BatchQueue(engines=2)
    for start_sec in range(7):
        put(queue, start_sec, file=start_sec % 3)
    assert queue.backlog == 7
    queue.take(2)
    assert queue.backlog == 5


def test_a_batch_may_hold_several_languages() -> None:
    queue = BatchQueue(engines=1)
    for start_sec, language in enumerate(["de-DE", "en-US", "de-DE"]):
        put(queue, start_sec, language=language)
    assert [ticket.request.language for ticket in queue.take(9)] == ["de-DE", "en-US", "de-DE"]


def test_canceled_windows_are_never_taken() -> None:
    queue = BatchQueue(engines=1)
    tickets = [put(queue, start_sec, file) for start_sec, file in ((100, "a"), (101, "a"), (200, "b"), (201, "b"))]
    tickets[0].future.cancel()
    tickets[3].future.cancel()
    assert starts(queue.take(1)) == [200]
    assert starts(queue.take(9)) == [101]


def test_a_taker_waits_on_when_all_that_was_there_is_canceled() -> None:
    queue = BatchQueue(engines=1)
    for start_sec in range(3):
        put(queue, start_sec).future.cancel()
    taken: list[list[Ticket]] = []
    taker = Thread(target=lambda: taken.append(queue.take(1)))
    taker.start()
    last = put(queue, 3)
    taker.join(timeout=60)
    assert taken == [[last]]


def test_a_ticket_can_be_canceled_until_its_recognition_is_there() -> None:
    queue = BatchQueue(engines=1)
    canceled, answered = put(queue, 0), put(queue, 1)
    queue.take(2)
    assert canceled.future.cancel()
    canceled.succeed(Recognition())
    answered.succeed(Recognition())
    assert canceled.future.cancelled()
    assert answered.future.result() == Recognition()


def test_a_taker_waits_until_there_is_something() -> None:
    queue = BatchQueue(engines=2)
    taken: list[list[Ticket]] = []
    taker = Thread(target=lambda: taken.append(queue.take(1)))
    taker.start()
    ticket = put(queue, 0)
    taker.join(timeout=60)
    assert taken == [[ticket]]


def test_closing_wakes_the_takers_and_returns_the_remaining_windows() -> None:
    queue = BatchQueue(engines=1)
    taken: list[list[Ticket]] = []
    taker = Thread(target=lambda: taken.extend([queue.take(1), queue.take(1)]))
    first = put(queue, 0)
    taker.start()
    while not taken and queue.short_of_takers:
        pass
    queue.close()
    taker.join(timeout=60)
    assert taken == [[first], []]
    left = BatchQueue(engines=1)
    waiting = [put(left, 0, "a"), put(left, 1, "a"), put(left, 2, "b")]
    assert left.close() == waiting


def test_a_closed_queue_cancels_what_comes() -> None:
    queue = BatchQueue(engines=1)
    queue.close()
    assert put(queue, 0).future.cancelled()


def test_a_queue_is_short_of_takers_when_more_wait_than_there_are() -> None:
    queue = BatchQueue(engines=1)
    assert not queue.short_of_takers
    put(queue, 0)
    assert queue.short_of_takers


def test_windows_of_the_kind_that_is_next_come_first_and_others_fill_the_batch() -> None:
    queue = BatchQueue(1, by_language)
    for start_sec, (file, language) in enumerate([("a", "en"), ("b", "de"), ("c", "en"), ("a", "de"), ("c", "en")]):
        put(queue, start_sec, file, language)
    assert starts(queue.take(2)) == [0, 2]
    assert starts(queue.take(9)) == [1, 3, 4]


def test_a_file_of_a_rare_kind_waits_for_one_batch_at_most() -> None:
    queue = BatchQueue(1, by_language)
    put(queue, 0, "first", "en")
    put(queue, 1000, "rare", "de")
    for number in range(1, 50):
        put(queue, number, number, "en")
    assert 1000 not in starts(queue.take(8))
    assert starts(queue.take(8))[0] == 1000


def test_the_windows_of_a_file_keep_their_order_whatever_their_kinds() -> None:
    queue = BatchQueue(1, by_language)
    for start_sec, language in enumerate(["en", "de", "en", "en", "de", "fr"]):
        put(queue, start_sec, "file", language)
    taken = [start for _ in range(6) for start in starts(queue.take(1))]
    assert taken == [0, 1, 2, 3, 4, 5]


def test_a_full_batch_is_taken_without_waiting_and_no_smaller_one() -> None:
    queue = BatchQueue(engines=1)
    for start_sec in range(7):
        assert queue.take_full(8) == []
        put(queue, start_sec)
    put(queue, 7)
    assert starts(queue.take_full(8)) == [*range(8)]
    assert queue.take_full(8) == []


def test_a_full_batch_is_one_engines_share() -> None:
    queue = BatchQueue(engines=2)
    for start_sec in range(8):
        put(queue, start_sec)
    assert queue.take_full(8) == []
    for start_sec in range(8, 15):
        put(queue, start_sec)
    assert starts(queue.take_full(8)) == [*range(8)]


def test_windows_that_are_put_back_are_the_next_ones_in_their_order() -> None:
    queue = BatchQueue(engines=1)
    for start_sec, file in ((100, "a"), (101, "a"), (200, "b"), (300, "c"), (201, "b")):
        put(queue, start_sec, file)
    batch = queue.take(4)
    assert starts(batch) == [100, 200, 300, 101]
    queue.put_back(batch)
    assert queue.backlog == 5
    assert starts(queue.take(1)) == [100]
    assert starts(queue.take(9)) == [200, 300, 101, 201]


def test_a_closed_queue_cancels_what_is_put_back() -> None:
    queue = BatchQueue(engines=1)
    put(queue, 0)
    batch = queue.take(1)
    queue.close()
    queue.put_back(batch)
    assert batch[0].future.cancelled()


def test_a_taker_whose_wait_is_over_gets_nothing() -> None:
    queue, is_over, taken = BatchQueue(engines=1), Event(), list[list[Ticket]]()
    taker = Thread(target=lambda: taken.append(queue.take(1, is_over=is_over.is_set)))
    taker.start()
    is_over.set()
    queue.wake()
    taker.join(timeout=60)
    assert taken == [[]]
