"""Conversion of pydantic's errors into batchscribe errors that name the field on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from batchscribe.errors import InvalidRequest, Mistake, OptionNotAvailable
from batchscribe.wire.base import INVALID, NOT_AVAILABLE

#: The text after the field name, by the type of pydantic's error. Pydantic's own messages address Python callers.
PREDICATES = {
    "missing": "is required",
    "too_long": "must not be longer than {max_length}",
    "string_too_long": "may have at most {max_length} characters",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a string",
    "string_unicode": "must be valid Unicode text",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_parsing_size": "is too large",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "tuple_type": "must be a list",
    "enum": "must be {expected}",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
}
OTHERWISE = "is invalid"
#: Not reported: a field that is inferred from another field, which is invalid and reported.
FOLLOWS = "default_factory_not_called"

MOST_MISTAKES = 50  #: the most that one response reports


def invalid_request(error: ValidationError) -> InvalidRequest:
    """Convert all errors; the first one is the message. Neither message nor field ever shows the client's input."""
    return describe_mistakes(error.errors(include_input=False, include_url=False))


def describe_mistakes(found: Sequence[Mapping[str, Any]], *, from_part: int = 0) -> InvalidRequest:
    """Convert a list of pydantic's errors, where the path of a field begins at index `from_part` of `loc`."""
    first_hand = [each for each in found if each["type"] != FOLLOWS] or found
    mistakes = tuple(dict.fromkeys(_mistake(each, from_part) for each in first_hand[:MOST_MISTAKES]))
    kind = OptionNotAvailable if first_hand[0]["type"] == NOT_AVAILABLE else InvalidRequest
    return kind(mistakes[0].message, field=mistakes[0].field, mistakes=mistakes)


def _mistake(found: Mapping[str, Any], from_part: int) -> Mistake:
    kind, context = found["type"], found.get("ctx", {})
    parts = (*found["loc"][from_part:], context.get("field", ""))
    field = ".".join(str(part) for part in parts if part != "")
    name = field or "The request"
    if kind in (INVALID, NOT_AVAILABLE):
        sentence = f"{name}: {found['msg']}"
    else:
        sentence = f"{name} {PREDICATES.get(kind, OTHERWISE).format_map(context)}."
    return Mistake(field, sentence)
