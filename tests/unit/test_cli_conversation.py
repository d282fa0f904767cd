"""A transcript as people read it in a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from batchscribe.cli.present import conversation
from batchscribe.cli.present.conversation import show_conversation
from batchscribe.transcript.document import Transcript
from batchscribe.window import Flag
from tests.transcripts import segment, transcript

CALL = transcript(
    segment("Good morning, how can I help you?", 0.4, 2.0, channel=0),
    segment("My car makes a sound that I have never heard before, and it is rather loud.", 2.5, 6.0, channel=1),
    segment("It began on Monday.", 6.2, 7.5, channel=1),
    segment("I see.", 3700.0, 3701.0, channel=0),
    channels=2,
)


def on_terminal(
    shown: Transcript, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int = 60
) -> list[str]:
    """Return the lines at a terminal, without trailing spaces."""
    monkeypatch.setattr(
        conversation,
        "open_console",
        lambda: Console(force_terminal=True, width=width, color_system=None, markup=False, soft_wrap=True),
    )
    show_conversation(shown)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_who_spoke_stands_beside_wrapped_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert on_terminal(CALL, capsys, monkeypatch) == [
        "s3://in/a.wav (62 min, scripted-1)",
        "",
        "0:00:00  Speaker 1L  Good morning, how can I help you?",
        "",
        "0:00:02  Speaker 1R  My car makes a sound that I have never",
        "                     heard before, and it is rather loud. It",
        "                     began on Monday.",
        "",
        "1:01:40  Speaker 1L  I see.",
        "",
    ]


def test_on_a_narrow_terminal_each_paragraph_is_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = on_terminal(CALL, capsys, monkeypatch, width=20)
    assert shown[2] == "0:00:00  Speaker 1L: Good morning, how can I help you?"


def test_without_a_terminal_each_paragraph_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_conversation(CALL)
    first, second, third = capsys.readouterr().out.splitlines()[2:]
    assert first == "0:00:00  Speaker 1L: Good morning, how can I help you?"
    assert second.startswith("0:00:02  Speaker 1R: My car makes a sound that I have never heard before,")
    assert second.endswith(" It began on Monday.")
    assert third == "1:01:40  Speaker 1L: I see."


def test_without_labels_there_is_no_column_for_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert on_terminal(transcript(segment("Hello.", 0, 1)), capsys, monkeypatch)[2] == "0:00:00  Hello."


def test_doubtful_text_is_marked_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    doubtful = replace(segment("Thank you.", 0, 1), flags=(Flag.NO_SPEECH,))
    show_conversation(transcript(doubtful))
    assert "Thank you.  [doubtful: the engine did not detect speech]\n" in capsys.readouterr().out


def test_silence_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show_conversation(transcript(duration_sec=7.0))
    assert capsys.readouterr().out == "s3://in/a.wav (7 s, scripted-1)\n\nThere is no speech.\n"


def test_warnings_come_first_and_nothing_controls_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    shown = transcript(segment("red \x1b[31m alert", 0, 1))
    metadata = replace(shown.metadata, warnings=("Part\x07 is missing.",), input_uri="s3://in/\x1b]0;a\x07.wav")
    show_conversation(replace(shown, metadata=metadata))
    out = capsys.readouterr().out
    assert "Warning: Part\N{REPLACEMENT CHARACTER} is missing.\n" in out
    assert not {"\x1b", "\x07"} & set(out)


def test_wide_characters_are_wrapped_by_their_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = on_terminal(transcript(segment("広州市の不動産仲介協会は分析した" * 4, 0, 9)), capsys, monkeypatch)
    assert [len(line.removeprefix("0:00:00").strip()) for line in lines[2:-1]] == [25, 25, 14]
