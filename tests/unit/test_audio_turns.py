"""Turns of decoding: which recording is next."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from batchscribe.audio.decoding_turns import DecodingTurns
from batchscribe.errors import WorkInterrupted


class Recording(NamedTuple):
    tenant: Hashable
    job: Hashable
    turn_sec: float = 1.0


def order_of_turns(recordings: dict[str, Recording], n_turns: int) -> list[str]:
    """Return the turns of recordings that are opened in this order and always want to continue."""
    turns = DecodingTurns(1)
    with ExitStack() as opened:
        joined = {name: opened.enter_context(turns.join(each.tenant, each.job)) for name, each in recordings.items()}
        names = {turn.number: name for name, turn in joined.items()}
        for turn in joined.values():
            turn.waits = True
        order = []
        for _ in range(n_turns):
            turn = turns.first_in_line()
            turns.begin(turn)
            order.append(names[turn.number])
            turns.end(turn, recordings[order[-1]].turn_sec)
            turn.waits = True
    return order


def test_tenants_have_equal_shares_whatever_the_number_of_their_recordings() -> None:
    recordings = {f"a{number}": Recording("a", 1) for number in range(5)} | {"b": Recording("b", 2)}
    order = order_of_turns(recordings, 20)
    assert order.count("b") == 10


def test_jobs_of_a_tenant_have_equal_shares() -> None:
    recordings = {f"large{number}": Recording("a", 1) for number in range(5)} | {"small": Recording("a", 2)}
    assert order_of_turns(recordings, 20).count("small") == 10


def test_shares_are_of_time_not_of_turns() -> None:
    order = order_of_turns({"slow": Recording("a", 1, 3.0), "quick": Recording("b", 2, 1.0)}, 40)
    assert order.count("quick") == 30


def test_recordings_of_a_job_are_decoded_one_after_the_other() -> None:
    assert order_of_turns({name: Recording("a", 1) for name in ("first", "second")}, 4) == ["first"] * 4


def test_a_later_tenant_neither_waits_for_nor_overtakes_the_others() -> None:
    turns = DecodingTurns(1)
    with turns.join("a", 1) as long:
        for _ in range(100):
            turns.begin(long)
            turns.end(long, 1.0)
        with turns.join("b", 2) as late:
            long.waits = late.waits = True
            order = []
            for _ in range(4):
                turn = turns.first_in_line()
                turns.begin(turn)
                turns.end(turn, 1.0)
                turn.waits = True
                order.append(turn.tenant)
    assert (order.count("a"), order.count("b")) == (2, 2)


def test_no_more_decode_at_a_time_than_there_are_places() -> None:
    turns, most, now = DecodingTurns(2), 0, 0
    lock = threading.Lock()

    def decode(tenant: int) -> None:
        nonlocal most, now
        with turns.join(tenant, tenant) as turn:
            for _ in range(50):
                with turn.take():
                    with lock:
                        now += 1
                        most = max(most, now)
                    with lock:
                        now -= 1

    threads = [threading.Thread(target=decode, args=(tenant,)) for tenant in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert 1 <= most <= 2


def test_waiting_recordings_learn_that_the_decoders_were_stopped() -> None:
    turns = DecodingTurns(1)
    with turns.join("a", 1) as holder, turns.join("b", 2) as other, holder.take():
        threading.Timer(0.05, turns.close).start()
        with pytest.raises(WorkInterrupted):
            other.begin()


def test_a_turn_ends_with_its_recording() -> None:
    turns = DecodingTurns(1)
    with turns.join("a", 1) as turn:
        turn.begin()
    with turns.join("b", 2) as turn, turn.take():
        pass
