"""The file of `--vocabulary`: one phrase per line, and aliases as `canonical: variant, variant`."""

from __future__ import annotations

from pydantic import ValidationError

from batchscribe.cli.text_files import read_numbered_lines
from batchscribe.errors import Mistake, UsageError
from batchscribe.wire.base import JsonObject
from batchscribe.wire.mistakes import invalid_request
from batchscribe.wire.vocabulary import Vocabulary


def read_vocabulary(name: str) -> JsonObject:
    """Return the vocabulary in a file, or on standard input for `-`. Raises `UsageError` with the line."""
    phrases: list[str] = []
    aliases: list[JsonObject] = []
    lines: dict[str, list[int]] = {"phrases": [], "aliases": []}  # the line of each
    for number, line in read_numbered_lines(name):
        canonical, colon, variants = line.partition(":")
        lines["aliases" if colon else "phrases"].append(number)
        if not colon:
            phrases.append(line)
        elif canonical.strip() and variants.strip():
            aliases.append({"canonical": canonical.strip(), "variants": [each.strip() for each in variants.split(",")]})
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


def _explain(name: str, mistake: Mistake, lines: dict[str, list[int]]) -> str:
    """Return the message with the line in place of the field."""
    field, _, rest = mistake.field.partition(".")
    position = rest.partition(".")[0]
    where = f"{name}, line {lines[field][int(position)]}" if position else f"{name}: {field}"
    return where + mistake.message.removeprefix(mistake.field)
