"""The style check: docs/style.md is its only source, and it finds what the page calls bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents import table_rows
from tests.terms import LIMIT, STYLE, Text, check, read_code, read_document, read_rules

RULES = read_rules(STYLE.read_text())
EXAMPLES = [row for row in table_rows(STYLE) if len(row) == 2 and row[0].endswith(".")]


def faults(content: str, limit: int = 40) -> list[str]:
    return list(check(Text(Path("a.md"), 1, content, is_prose=True), RULES, limit))


def faults_in(path: Path) -> list[str]:
    return [fault for text in read_code(path) for fault in check(text, RULES, 40)]


@pytest.mark.parametrize(("bad", "good"), EXAMPLES)
def test_each_example_of_the_page_is_found_and_its_replacement_is_not(bad: str, good: str) -> None:
    assert faults(bad)
    assert faults(good) == []


def test_the_page_has_at_least_ten_examples() -> None:
    assert len(EXAMPLES) >= 10


def test_a_fault_names_file_line_words_and_replacement() -> None:
    assert faults("A worker stops.\nThen the other one goes\non.") == [
        'a.md:2: “goes on”: write "continues", "resumes".',
    ]


def test_exceptions_and_parts_of_words_are_not_found() -> None:
    assert faults("The process is told to stop, if there is none. A foretold end.") == []


def test_a_long_sentence_is_found_with_its_first_words() -> None:
    sentence = " ".join(["word"] * 41)
    assert faults(f"A short one. {sentence}.") == [
        "a.md:1: “word word word word word ...”: split the sentence, it has 41 words."
    ]
    assert faults(f"A short one. {sentence}.", limit=41) == []


def test_items_and_cells_are_separate_sentences() -> None:
    half = " ".join(["word"] * 30)
    assert faults(f"- {half}\n- {half}\n\n| {half} | {half} |\n\n{half}\n\n{half}") == []


def test_code_in_documents_is_not_read(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("```sh\nwhoever goes on\n```\nUse `whoever`, not whoever.\n")
    found = [fault for text in read_document(document) for fault in check(text, RULES, 40)]
    assert [fault.partition(": “")[0] for fault in found] == [f"{document}:4"]


@pytest.mark.parametrize(
    "code",
    [
        '"""Whoever reads this."""\n',
        'def f() -> None:\n    """\n    Whoever reads this.\n    """\n',
        "x = 1  # whoever reads this\n",
        "#: Read by\n#: whoever wants it.\nx = 1\n",
        "def test_whoever_reads_this() -> None: ...\n",
    ],
)
def test_docstrings_comments_and_names_of_tests_are_read(tmp_path: Path, code: str) -> None:
    module = tmp_path / "a.py"
    module.write_text(code)
    assert len(faults_in(module)) == 1


def test_names_and_strings_of_code_are_not_read(tmp_path: Path) -> None:
    module = tmp_path / "a.py"
    module.write_text('whoever = "whoever reads this"\n')
    assert faults_in(module) == []


def test_messages_of_the_source_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.terms.ROOT", tmp_path)
    module = tmp_path / "src" / "a.py"
    module.parent.mkdir()
    module.write_text('def f(name: str) -> None:\n    raise ValueError(f"{name} is none of "\n        "ours.")\n')
    assert [fault.partition(": ")[0] for fault in faults_in(module)] == ["src/a.py:2"] * 2


def test_the_limit_is_the_one_of_the_page() -> None:
    assert LIMIT.findall(STYLE.read_text()) == ["40"]
