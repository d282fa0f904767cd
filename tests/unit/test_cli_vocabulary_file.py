"""The file of `--vocabulary`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from batchscribe.cli.vocabulary_file import read_vocabulary
from batchscribe.errors import UsageError


def read(tmp_path: Path, content: str) -> object:
    file = tmp_path / "names.txt"
    file.write_bytes(content.encode())
    return read_vocabulary(str(file))


def test_a_file_has_phrases_and_aliases(tmp_path: Path) -> None:
    content = "\ufeff# Names\r\n\r\n  Ada Lovelace \r\nKubernetes\r\nKubernetes: cube a netties,  Cooper Netties\r\n"
    assert read(tmp_path, content) == {
        "phrases": ["Ada Lovelace", "Kubernetes"],
        "aliases": [{"canonical": "Kubernetes", "variants": ["cube a netties", "Cooper Netties"]}],
    }


def test_phrases_or_aliases_alone_are_enough(tmp_path: Path) -> None:
    assert read(tmp_path, "Ada\n") == {"phrases": ["Ada"]}
    assert read(tmp_path, "Ada: eider\n") == {"aliases": [{"canonical": "Ada", "variants": ["eider"]}]}


def test_a_vocabulary_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Zoë\n".encode())))
    assert read_vocabulary("-") == {"phrases": ["Zoë"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "names.txt has no phrase"),
        ("# only this\n", "names.txt has no phrase"),
        ("Ada\n\n: eider\n", "line 3: write an alias as"),
        ("Ada\nAda:\n", "line 2: write an alias as"),
        ("Ada: eider,, aida\n", "line 1: Write at least one letter"),
        ("# x\nAda\n...\n", "line 3: Write at least one letter"),
        ("Ada\n" + "x" * 101, "line 2: At most 100 characters"),
        ("Zoë: zoe\nZoey: Zoe\n", "line 2: A variant also belongs to another alias"),
        ("\n".join(f"name {number}" for number in range(101)), "names.txt: phrases must not be longer than 100"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(tmp_path, content)
    assert reason in str(refused.value)
