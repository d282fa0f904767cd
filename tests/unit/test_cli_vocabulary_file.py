"""The file of `--vocabulary`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from batchscribe.cli.present.listings import show_vocabulary
from batchscribe.cli.vocabulary_file import read_vocabulary
from batchscribe.errors import UsageError
from batchscribe.wire.vocabulary import Vocabulary


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


def test_quotes_make_colons_commas_and_number_signs_part_of_a_text(tmp_path: Path) -> None:
    lines = ['"Star Wars: Andor"', '"#1 Lounge"', 'the 5" disk', '"say ""hi"""', '"a" or "b"']
    aliases = ['"Re: Zero" : re zero,"one, two" , x', 'plain: "y: z", 3" disk']
    assert read(tmp_path, "\n".join([*lines, *aliases])) == {
        "phrases": ["Star Wars: Andor", "#1 Lounge", 'the 5" disk', 'say "hi"', '"a" or "b"'],
        "aliases": [
            {"canonical": "Re: Zero", "variants": ["re zero", "one, two", "x"]},
            {"canonical": "plain", "variants": ["y: z", '3" disk']},
        ],
    }


TEXTS = st.text("ab:,#\"' \u200c", min_size=1, max_size=8).filter(lambda text: text.strip(":,#\"' \u200c"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(TEXTS, max_size=3), st.lists(st.lists(TEXTS, min_size=2, max_size=4), min_size=1, max_size=3))
def test_the_file_that_is_shown_has_the_same_vocabulary(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, phrases: list[str], aliases: list[list[str]]
) -> None:
    written = [{"canonical": each[0], "variants": each[1:]} for each in aliases]
    try:
        vocabulary = Vocabulary.model_validate({"phrases": phrases, "aliases": written})
    except ValidationError:
        return  # a variant of two aliases
    show_vocabulary(
        {"vocabulary_id": "vocab_1", "created_at": "2026-11-27T09:30:00Z", "phrases": [], **vocabulary.echo()}
    )
    assert read(tmp_path, capsys.readouterr().out) == vocabulary.echo()


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
