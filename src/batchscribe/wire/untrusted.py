"""JSON and text from outside: what is checked wherever something is decoded, be it a body, a token or a parameter."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

MAX_DEPTH = 32  #: of lists and objects in each other; a job has 5
TOO_DEEP, HALF_A_PAIR = "too deep", "half of a surrogate pair"  #: what the errors say


def read_json(content: str | bytes) -> Any:
    """The value of a JSON text. Raises `ValueError` for what is none, too deep, or has half of a surrogate pair in it.

    Half a pair can be written in JSON, and then neither stored nor sent to anybody.
    """
    try:
        value = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:  # long before it is known whether it would be JSON
        raise ValueError("far too deep") from None
    _check(value)
    return value


def is_text(value: str) -> bool:
    """Whether it can be stored and sent: half of a surrogate pair cannot."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _check(value: Any) -> None:
    """Level by level: a walk that calls itself would need as much of the stack as the text has levels."""
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
    """`1e400` is infinite to Python."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


def _refuse_constant(name: str) -> NoReturn:
    """`NaN` and `Infinity` are not JSON, though Python reads them."""
    raise ValueError(name)
