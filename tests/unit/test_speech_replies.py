"""Replies of an engine process, which is not trusted: valid and invalid ones."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from batchscribe.children.pipe import Pipe
from batchscribe.speech.engine_replies import (
    MAX_REASON_CHARS,
    MAX_REPLY_BYTES,
    EngineFailure,
    InvalidEngineReply,
    Ready,
    Transcribed,
    receive_reply,
    send_reply,
    validate_recognitions,
)
from batchscribe.window import Flag, Phrase, Recognition, Window, Word

WINDOW = Window(0, 0.0, np.zeros(32_000, dtype=np.float32))
HEARD = Recognition(
    phrases=(Phrase("नमस्ते\u200d world", 0.0, 1.5, (Word("world", 0.5, 1.5, 0.25),), (Flag.REPETITION,)),),
    left_out=((1.5, 2.0),),
    language="hi",
    detected=(("hi", 0.75), ("en", 0.25)),
)


@pytest.fixture
def pipe() -> Iterator[tuple[Pipe, Pipe]]:
    here, there = multiprocessing.Pipe()
    with here, there:
        yield Pipe(here), Pipe(there)


@pytest.fixture
def said(pipe: tuple[Pipe, Pipe]) -> dict[str, Any]:
    send_reply(pipe[0], [HEARD])
    reply = receive_reply(pipe[1])
    assert isinstance(reply, Transcribed)
    only: dict[str, Any] = reply.recognitions[0]
    return only


def test_an_answer_arrives_as_it_was_sent(said: dict[str, Any]) -> None:
    assert validate_recognitions([said], [WINDOW]) == [HEARD]
    assert validate_recognitions([], []) == []


@pytest.mark.parametrize(
    "reply", [Ready(), EngineFailure("it rains"), EngineFailure("it pours", is_out_of_memory=True)]
)
def test_other_replies_arrive_too(pipe: tuple[Pipe, Pipe], reply: Ready | EngineFailure) -> None:
    send_reply(pipe[0], reply)
    assert receive_reply(pipe[1]) == reply


def test_numbers_of_numpy_are_numbers(pipe: tuple[Pipe, Pipe]) -> None:
    word = Word("a", np.float32(0.5), np.float64(1.0), np.float32(0.5))  # type: ignore[arg-type]
    send_reply(pipe[0], [Recognition((Phrase("a", 0.0, 1.0, (word,)),))])
    reply = receive_reply(pipe[1])
    assert isinstance(reply, Transcribed)
    assert validate_recognitions(reply.recognitions, [WINDOW])[0].phrases[0].words == (Word("a", 0.5, 1.0, 0.5),)


def test_the_last_word_may_end_a_frame_behind_its_window_and_is_cut(said: dict[str, Any]) -> None:
    said["phrases"][0]["words"][0]["end_sec"] = 2.02
    assert validate_recognitions([said], [WINDOW])[0].phrases[0].words[0].end_sec == 2.0


def test_control_characters_and_halves_of_pairs_are_left_out(said: dict[str, Any]) -> None:
    said["phrases"][0]["text"] = "a\x1b[31m\ud800\u0000b"
    assert validate_recognitions([said], [WINDOW])[0].phrases[0].text == "a[31mb"


LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "nan": lambda said: said["phrases"][0].update(start_sec=float("nan")),
    "infinity": lambda said: said["phrases"][0].update(end_sec=float("inf")),
    "negative": lambda said: said["phrases"][0]["words"][0].update(start_sec=-1.0),
    "behind the window": lambda said: said["phrases"][0]["words"][0].update(end_sec=4.0),
    "backwards": lambda said: said["phrases"][0]["words"][0].update(start_sec=1.9),
    "huge": lambda said: said["phrases"][0].update(start_sec=10**400),
    "text for a time": lambda said: said["phrases"][0].update(start_sec="0"),
    "truth for a time": lambda said: said["phrases"][0].update(end_sec=True),
    "confidence": lambda said: said["phrases"][0]["words"][0].update(confidence=7.0),
    "number for a text": lambda said: said["phrases"][0].update(text=1),
    "long text": lambda said: said["phrases"][0].update(text="x" * 20_001),
    "many words": lambda said: said["phrases"][0].update(words=said["phrases"][0]["words"] * 5_001),
    "unknown flag": lambda said: said["phrases"][0].update(flags=["evil"]),
    "no flags": lambda said: said["phrases"][0].pop("flags"),
    "language": lambda said: said.update(language="http://evil.example"),
    "detected": lambda said: said.update(detected=[["en"]]),
    "share": lambda said: said.update(detected=[["en", -0.5]]),
    "left out": lambda said: said.update(left_out=[[0.0, 1.0, 2.0]]),
    "phrases": lambda said: said.update(phrases="none"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_an_answer_that_cannot_be_is_refused(said: dict[str, Any], lie: Callable[[dict[str, Any]], object]) -> None:
    changed = copy.deepcopy(said)
    lie(changed)
    with pytest.raises(InvalidEngineReply):
        validate_recognitions([changed], [WINDOW])


@pytest.mark.parametrize("answers", [[], [None], ["text"], [[]], [{}]])
def test_another_number_or_shape_of_answers_is_refused(answers: list[Any]) -> None:
    with pytest.raises(InvalidEngineReply):
        validate_recognitions(answers, [WINDOW])


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{not json}",
        b"[" * 100_000,
        b'{"op": "transcribed", "recognitions": [NaN]}',
        b'{"op": "transcribed", "recognitions": 1}',
        b'{"op": "exec"}',
        b"\xff",
        pickle.dumps({"op": "ready"}),
        json.dumps({"op": "failed", "reason": "x" * (MAX_REASON_CHARS + 1), "is_out_of_memory": False}).encode(),
        json.dumps({"op": "failed", "reason": ["x"], "is_out_of_memory": False}).encode(),
        json.dumps({"op": "failed", "reason": "it pours", "is_out_of_memory": "yes"}).encode(),
    ],
    ids=[
        "empty",
        "no json",
        "deep",
        "nan",
        "no list",
        "unknown",
        "no text",
        "pickle",
        "long reason",
        "no reason",
        "no flag",
    ],
)
def test_babble_is_refused_and_never_executed(pipe: tuple[Pipe, Pipe], line: bytes) -> None:
    pipe[0].write(struct.pack("!I", len(line)), line[:60_000])
    if len(line) > 60_000:
        pipe[0].write(line[60_000:])
    with pytest.raises(InvalidEngineReply):
        receive_reply(pipe[1])


def test_a_reply_that_would_fill_the_memory_is_refused(pipe: tuple[Pipe, Pipe]) -> None:
    pipe[0].write(struct.pack("!I", MAX_REPLY_BYTES + 1))
    with pytest.raises(InvalidEngineReply, match="too long"):
        receive_reply(pipe[1])
