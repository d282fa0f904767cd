"""The answer of a speaker process: nothing in it is trusted."""

from __future__ import annotations

import socket
import threading
import time
from multiprocessing.connection import Connection

import numpy as np
import pytest

from batchscribe.children.framing import send
from batchscribe.children.pipe import Pipe
from batchscribe.speakers import speaker_child
from batchscribe.speakers.speaker_child import Messages, pack
from batchscribe.speakers.speaker_count import SpeakerCount
from batchscribe.speakers.speaker_replies import MOST_SPEAKERS, InvalidSpeakerReply, unpack_turns
from batchscribe.window import SpeakerTurn
from tests.integration.command import wait_until_equal

TURNS = (SpeakerTurn(0.0, 1.5, 0), SpeakerTurn(1.0, 2.0, 1), SpeakerTurn(1.0, 4.0, 0))


def rows(*values: tuple[float, float, float]) -> memoryview:
    return memoryview(np.array(values, dtype=np.float64).tobytes())


def test_turns_arrive_unchanged() -> None:
    assert unpack_turns(memoryview(pack(TURNS)), 4.0, SpeakerCount()) == TURNS
    assert unpack_turns(memoryview(pack(())), 4.0, SpeakerCount()) == ()


def test_a_turn_ends_with_the_recording() -> None:
    """The models see frames, and the last one may extend beyond the sound."""
    [turn] = unpack_turns(rows((0.5, 4.05, 0)), 4.0, SpeakerCount())
    assert turn.end_sec == 4.0


@pytest.mark.parametrize(
    "answer",
    [
        rows((0, 1, 0))[:-1],
        rows((float("nan"), 1, 0)),
        rows((0, float("inf"), 0)),
        rows((0, 1, float("nan"))),
        rows((-0.1, 1, 0)),
        rows((1, 1, 0)),
        rows((2, 1, 0)),
        rows((3, 4.2, 0)),
        rows((4.05, 4.08, 0)),
        rows((1, 2, 0), (0, 3, 0)),
        rows((0, 1, 0.5)),
        rows((0, 1, -1)),
        rows((0, 1, 1)),
        rows((0, 1, 0), (1, 2, 2)),
        rows(*((0, 1, number) for number in range(MOST_SPEAKERS + 1))),
    ],
)
def test_an_impossible_answer_is_refused(answer: memoryview) -> None:
    with pytest.raises(InvalidSpeakerReply):
        unpack_turns(answer, 4.0, SpeakerCount())


def test_more_speakers_than_permitted_are_refused() -> None:
    with pytest.raises(InvalidSpeakerReply):
        unpack_turns(rows((0, 1, 0), (1, 2, 1)), 4.0, SpeakerCount(1, 1))


def test_only_some_sound_waits_in_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent's pipe then fills up, and it waits."""
    monkeypatch.setattr(speaker_child, "AHEAD_BYTES", 1000)
    ours, theirs = socket.socketpair()
    parent, child = Pipe(Connection(ours.detach())), Pipe(Connection(theirs.detach()))
    closed = threading.Event()
    messages = Messages(child, closed.set)
    for number in range(20):
        send(parent, {"op": "sound", "number": number}, bytes(100))
    wait_until_equal(lambda: messages.waiting_bytes, 1000)
    time.sleep(0.3)
    assert messages.waiting_bytes == 1000
    assert [messages.take()[0]["number"] for _ in range(20)] == list(range(20))
    assert not closed.is_set()
    parent.close()
    assert closed.wait(60)
