"""How results are written: JSON for scripts, and text that is safe for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from batchscribe.cli.present import console
from batchscribe.cli.present.console import format_uri, print_json_list

#: Names may contain line breaks of every kind, and none of them may break a line here.
ITEMS: list[dict[str, Any]] = [{"uri": "s3://ä/\u2028\x85\n.wav", "error": {"code": "X"}}, {}, {"n": [1, 2]}]
EVENT = f"evt_{'0123456789abcdef' * 2}"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_reads_like_one_that_was_written_at_once(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    beside = {"job_id": "job_1", "summary": {"failed": 0}}
    print_json_list("files", ITEMS[:count], beside=beside)
    print_json_list("files", ITEMS[:count])
    expected = [json.dumps({**head, "files": ITEMS[:count]}, ensure_ascii=False, indent=2) for head in (beside, {})]
    assert capsys.readouterr().out == f"{expected[0]}\n{expected[1]}\n"


def test_output_is_streamed_item_by_item(capsys: pytest.CaptureFixture[str]) -> None:
    written: list[str] = []

    def items() -> Iterator[dict[str, Any]]:
        for number in range(3):
            written.append(capsys.readouterr().out)
            yield {"n": number}

    print_json_list("files", items())
    assert '"n": 0' in written[1]
    assert '"n": 1' in written[2]


def test_what_fails_before_the_first_item_leaves_nothing_written(capsys: pytest.CaptureFixture[str]) -> None:
    nothing: list[int] = []
    with pytest.raises(IndexError):
        print_json_list("files", ({"n": nothing[number]} for number in range(1)))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_a_narrow_terminal_cuts_off_no_id_and_no_text(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        console, "open_console", lambda: Console(force_terminal=True, width=width, color_system=None, markup=False)
    )
    table = Table("event", "type", "last answer", box=None)
    table.add_row(EVENT, "job.succeeded", "The receiver answered 503.")
    console.print_table(table)
    printed = capsys.readouterr().out
    assert EVENT in printed
    assert "\N{HORIZONTAL ELLIPSIS}" not in printed
    rest = "".join(sorted(printed.replace("event", "", 1).replace(EVENT, "")))
    assert "".join(rest.split()) == "".join(sorted("typelastanswerjob.succeededThereceiveranswered503."))


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("file:///elsewhere/a%20b.wav", "/elsewhere/a b.wav"),
        ("file:///elsewhere/caf%E9.wav", "/elsewhere/caf\N{REPLACEMENT CHARACTER}.wav"),
        ("file:///elsewhere/%1B%5B2J.wav", "/elsewhere/\N{REPLACEMENT CHARACTER}[2J.wav"),
        ("s3://b/\x1b]0;title\x07.wav", "s3://b/\N{REPLACEMENT CHARACTER}]0;title\N{REPLACEMENT CHARACTER}.wav"),
    ],
)
def test_a_name_cannot_write_on_the_terminal_by_itself(uri: str, expected: str) -> None:
    assert format_uri(uri) == expected
