"""JSON from a child that may say anything: only what the standard has, and only numbers that are numbers."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any


def parse(text: bytes | bytearray) -> Any:
    """Raises `ValueError`, also for NaN, Infinity, 1e400, nesting without end, and bytes that are no text."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _refuse(constant: str) -> float:
    """JSON has no NaN and no Infinity, but Python's parser takes them."""
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    """1e400 is JSON, and infinite."""
    value = float(number)
    if not isfinite(value):
        raise ValueError("a number that no float can hold")
    return value
