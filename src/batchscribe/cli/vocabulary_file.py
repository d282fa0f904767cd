"""The file of `--vocabulary`: one phrase per line, and aliases as `canonical: variant, variant`.

A text with a colon, a comma or a leading `#` is in double quotes; quotes inside it are doubled, as in CSV.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from batchscribe.cli.text_files import read_numbered_lines
from batchscribe.errors import Mistake, UsageError
from batchscribe.wire.base import JsonObject
from batchscribe.wire.mistakes import invalid_request
from batchscribe.wire.vocabulary import Alias, Vocabulary

_QUOTED = r'"(?P<text>(?:[^"]|"")*)"'
_QUOTED_LINE = re.compile(rf"{_QUOTED}\s*(?::(?P<variants>.*))?")
_VARIANT = re.compile(rf"\s*(?:{_QUOTED}\s*|(?P<plain>[^,]*)),")


def read_vocabulary(name: str) -> JsonObject:
    """Return the vocabulary in a file, or on standard input for `-`. Raises `UsageError` with the line."""
    phrases: list[str] = []
    aliases: list[JsonObject] = []
    lines: dict[str, list[int]] = {"phrases": [], "aliases": []}  # the line of each
    for number, line in read_numbered_lines(name):
        canonical, variants = _split_line(line)
        lines["phrases" if variants is None else "aliases"].append(number)
        if variants is None:
            phrases.append(canonical)
        elif canonical and variants.strip():
            aliases.append({"canonical": canonical, "variants": _split_variants(variants)})
        else:
            raise UsageError(f"{name}, line {number}: write an alias as `canonical: variant, variant`.")
    if not phrases and not aliases:
        raise UsageError(f"{name} has no phrase; write one phrase per line.")
    vocabulary = {"phrases": phrases, "aliases": aliases}
    try:
        Vocabulary.model_validate(vocabulary)
    except ValidationError as error:
        raise UsageError(_explain(name, invalid_request(error).mistakes[0], lines)) from None
    return {field: value for field, value in vocabulary.items() if value}


def _split_line(line: str) -> tuple[str, str | None]:
    """Return the phrase and None, or the canonical form and the variants."""
    if quoted := _QUOTED_LINE.fullmatch(line):
        return _unquote(quoted["text"]), quoted["variants"]
    text, colon, variants = line.partition(":")
    return text.strip(), variants if colon else None


def _split_variants(variants: str) -> list[str]:
    return [
        found["plain"].strip() if found["text"] is None else _unquote(found["text"])
        for found in _VARIANT.finditer(f"{variants},")
    ]


def _unquote(text: str) -> str:
    return text.replace('""', '"')


def vocabulary_lines(phrases: Iterable[str], aliases: Iterable[Alias]) -> Iterator[str]:
    """Yield the lines of a file from which `read_vocabulary` reads the same phrases and aliases."""
    yield from map(_quote, phrases)
    for alias in aliases:
        yield f"{_quote(alias.canonical)}: {', '.join(map(_quote, alias.variants))}"


def _quote(text: str) -> str:
    if text.startswith(("#", '"')) or ":" in text or "," in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def _explain(name: str, mistake: Mistake, lines: dict[str, list[int]]) -> str:
    """Return the message with the line in place of the field."""
    field, _, rest = mistake.field.partition(".")
    position = rest.partition(".")[0]
    where = f"{name}, line {lines[field][int(position)]}" if position else f"{name}: {field}"
    return where + mistake.message.removeprefix(mistake.field)
