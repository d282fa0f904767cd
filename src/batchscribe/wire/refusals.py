"""From what pydantic found wrong to an error of ours that names the field on the wire."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from batchscribe.errors import InvalidRequest, Mistake, OptionNotAvailable
from batchscribe.wire.model import INVALID, NOT_AVAILABLE

#: What is said after the field's name, by the type of pydantic's error.
PREDICATES = {
    "missing": "is required",
    "too_long": "may be {max_length} long at most",
    "string_too_long": "may have at most {max_length} characters",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "string_type": "must be a string",
    "tuple_type": "must be a list",
    "enum": "must be {expected}",
    "model_type": "must be a JSON object",
}


MOST_MISTAKES = 50  #: that one answer tells of


def refused(error: ValidationError) -> InvalidRequest:
    """All mistakes, the first one as the message. Neither message nor field ever shows what the client sent."""
    found = error.errors(include_input=False, include_url=False)[:MOST_MISTAKES]
    mistakes = tuple(dict.fromkeys(_mistake(each) for each in found))
    kind = OptionNotAvailable if found[0]["type"] == NOT_AVAILABLE else InvalidRequest
    return kind(mistakes[0].message, field=mistakes[0].field, mistakes=mistakes)


def _mistake(found: ErrorDetails) -> Mistake:
    kind, context = found["type"], found.get("ctx", {})
    field = ".".join(str(part) for part in (*found["loc"], context.get("field", "")) if part != "")
    name = field or "The request"
    if kind in (INVALID, NOT_AVAILABLE):
        sentence = f"{name}: {found['msg']}"
    elif kind in PREDICATES:
        sentence = f"{name} {PREDICATES[kind].format_map(context)}."
    else:
        sentence = f"{name}: {found['msg']}."
    return Mistake(field, sentence)
