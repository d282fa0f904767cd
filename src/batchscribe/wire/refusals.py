"""From what pydantic found wrong to an error of ours that names the field on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from batchscribe.errors import InvalidRequest, Mistake, OptionNotAvailable
from batchscribe.wire.model import INVALID, NOT_AVAILABLE

#: What is said after the field's name, by the type of pydantic's error. Its own words are for who calls it from Python.
PREDICATES = {
    "missing": "is required",
    "too_long": "may be {max_length} long at most",
    "string_too_long": "may have at most {max_length} characters",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a string",
    "string_unicode": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "tuple_type": "must be a list",
    "enum": "must be {expected}",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
}
OTHERWISE = "cannot be used as it is"
#: Not told: a field that is worked out from another one, which is wrong and told.
FOLLOWS = "default_factory_not_called"

MOST_MISTAKES = 50  #: that one answer tells of


def refused(error: ValidationError) -> InvalidRequest:
    """All mistakes, the first one as the message. Neither message nor field ever shows what the client sent."""
    return told(error.errors(include_input=False, include_url=False))


def told(found: Sequence[Mapping[str, Any]], *, from_part: int = 0) -> InvalidRequest:
    """The same of what pydantic found, where a field's path begins at `from_part` of its `loc`."""
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
