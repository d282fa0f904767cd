"""The style check of `make check`: finds words to avoid and long sentences, by the rules of docs/style.md.

`python -m tests.terms` reads all documents, docstrings, comments and names of tests, and the messages in the source.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.documents import DOCUMENTS, ROOT

STYLE = ROOT / "docs" / "style.md"
CODE = ("src", "tests", "benchmarks", "examples")
#: A sentence may have as many words as docs/style.md says.
LIMIT = re.compile(r"A sentence has at most (\d+) words")
HEAD = "| Avoid | Write | Except in |"

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Text:
    """Text for readers. `line` is its first line in the file; `is_prose` if its sentences have a maximum length."""

    path: Path
    line: int
    content: str
    is_prose: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Phrases to avoid, and what to write instead. The pattern's group `avoid` is set unless an exception matches."""

    pattern: re.Pattern[str]
    write: str


def read_rules(style: str) -> list[Rule]:
    """Read the table of words to avoid. Raises `ValueError` if there is none."""
    table = style[style.index(HEAD) :].partition("\n\n")[0]
    return [_rule(*(cell.strip() for cell in row.strip("|").split("|"))) for row in table.splitlines()[2:]]


def _rule(avoid: str, write: str, exceptions: str) -> Rule:
    allowed = "|".join(map(_phrase, _quoted(exceptions))) or "(?!)"
    return Rule(re.compile(f"(?:{allowed})|(?P<avoid>{'|'.join(map(_phrase, _quoted(avoid)))})"), write)


def _quoted(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


def _phrase(words: str) -> str:
    """Return a pattern for whole words, with any space between them, at the start of a sentence or within."""
    first, rest = words[0], r"\s+".join(map(re.escape, words[1:].split(" ")))
    return rf"\b[{first.lower()}{first.upper()}]{rest}\b"


def check(text: Text, rules: list[Rule], limit: int) -> Iterator[str]:
    """Yield a sentence for each fault: file, line, words, and what to write instead."""
    for rule in rules:
        for match in rule.pattern.finditer(text.content):
            if match["avoid"]:
                found = " ".join(match["avoid"].split())
                yield f"{_place(text, match.start())}: “{found}”: write {rule.write}."
    if text.is_prose:
        for start, sentence in _sentences(text.content):
            n_words = len(re.findall(r"\S*\w\S*", sentence))
            if n_words > limit:
                opening = " ".join(sentence.split()[:5])
                yield f"{_place(text, start)}: “{opening} ...”: split the sentence, it has {n_words} words."


def _place(text: Text, offset: int) -> str:
    path = text.path.relative_to(ROOT) if text.path.is_relative_to(ROOT) else text.path
    return f"{path}:{text.line + text.content.count(chr(10), 0, offset)}"


def _sentences(content: str) -> Iterator[tuple[int, str]]:
    """Yield each sentence with its offset. Items of lists and cells of tables are texts of their own."""
    ends = re.finditer(r"[.!?:][)*”\"]*\s+|\n\s*\n|\n\s*(?=[-*#]\s)|\||\Z", content)
    for before, end in pairwise([0, *(match.end() for match in ends)]):
        yield before + len(content[before:end]) - len(content[before:end].lstrip()), content[before:end].strip()


def read_document(path: Path) -> Iterator[Text]:
    """Yield a document without code. The tables of docs/style.md are left out, since they show what to avoid."""
    content = re.sub(r"^```.*?^```$", _blank, path.read_text(), flags=re.DOTALL | re.MULTILINE)
    if path == STYLE:
        content = re.sub(r"^\|.*$", "", content, flags=re.MULTILINE)
    yield Text(path, 1, _without_code(content), is_prose=path.name != "CHANGELOG.md")


def _blank(block: re.Match[str]) -> str:
    return "\n" * block[0].count("\n")


def _without_code(content: str) -> str:
    return re.sub(r"`[^`\n]*`", "`x`", content)


def read_code(path: Path) -> Iterator[Text]:
    """Yield docstrings and comments; the messages of the source; the names of tests."""
    source = path.read_text()
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, Documented) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            docstrings.add((docstring.lineno, docstring.col_offset))
            yield Text(path, docstring.lineno, _without_code(str(ast.get_docstring(node, clean=False))))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield Text(path, node.lineno, node.name.replace("_", " "))
    if path.is_relative_to(ROOT / "src"):
        yield from (text for text in _messages(path, tree) if (text.line, 0) not in docstrings)
    yield from _comments(path, source)


def _messages(path: Path, tree: ast.Module) -> Iterator[Text]:
    """Yield strings with spaces. Each value in an f-string counts as one word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            continue
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.JoinedStr):
                content = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in child.values)
            elif (
                isinstance(child, ast.Constant) and isinstance(child.value, str) and not isinstance(node, ast.JoinedStr)
            ):
                content = child.value
            else:
                continue
            if " " in content.strip():
                yield Text(path, child.lineno, _without_code(content), is_prose=content.rstrip().endswith("."))


def _comments(path: Path, source: str) -> Iterator[Text]:
    """Yield comments. Consecutive lines are one text."""
    block: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if block and token.start[0] != block[-1].start[0] + 1:
            yield _comment(path, block)
            block = []
        block.append(token)
    if block:
        yield _comment(path, block)


def _comment(path: Path, block: list[tokenize.TokenInfo]) -> Text:
    content = "\n".join(token.string.lstrip("#: ") for token in block)
    return Text(path, block[0].start[0], _without_code(content))


def main() -> int:
    """Print every fault. Return the exit status."""
    style = STYLE.read_text()
    rules, limit = read_rules(style), int(LIMIT.findall(style)[0])
    texts = [text for document in DOCUMENTS for text in read_document(document)]
    texts += [text for folder in CODE for path in sorted((ROOT / folder).rglob("*.py")) for text in read_code(path)]
    faults = [fault for text in texts for fault in check(text, rules, limit)]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
