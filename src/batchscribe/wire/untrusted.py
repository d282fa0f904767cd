"""Checks for JSON and text from outside: request bodies, tokens and parameters."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

MAX_DEPTH = 32  #: nesting of lists and objects; a job has 5 levels
TOO_DEEP, HALF_A_PAIR = "too deep", "half of a surrogate pair"  #: the error messages


def read_json(content: str | bytes) -> Any:
    """Parse JSON. Raises `ValueError` if it is malformed, nested too deeply, or has half of a surrogate pair.

    JSON can contain half of a pair, but it can be neither stored nor sent.
    """
    try:
        value = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:  # raised before the text is fully parsed
        raise ValueError("far too deep") from None
    _check(value)
    return value


def is_text(value: str) -> bool:
    """Return whether it can be stored and sent, which is not the case for half of a surrogate pair."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _check(value: Any) -> None:
    """Check level by level: recursion would need a stack as deep as the text."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        if not all(is_text(text) for text in _texts(level)):
            raise ValueError(HALF_A_PAIR)
        level = [item for holder in level for item in _items(holder)]
        if not level:
            return
    raise ValueError(TOO_DEEP)


def _texts(level: Iterable[Any]) -> Iterable[str]:
    for value in level:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from value


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _finite(number: str) -> float:
    """Reject numbers like `1e400`, which Python parses as infinity."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


def _refuse_constant(name: str) -> NoReturn:
    """Reject `NaN` and `Infinity`, which are not JSON but which Python accepts."""
    raise ValueError(name)
