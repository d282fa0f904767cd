"""From what pydantic found wrong to an error of ours that names the field on the wire."""

from __future__ import annotations

from pydantic import ValidationError

from batchscribe.errors import InvalidRequest, OptionNotAvailable
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


def refused(error: ValidationError) -> InvalidRequest:
    """The first mistake. Neither message nor field ever shows what the client sent."""
    first = error.errors(include_input=False, include_url=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    field = ".".join(str(part) for part in (*first["loc"], context.get("field", "")) if part != "")
    name = field or "The request"
    if kind in (INVALID, NOT_AVAILABLE):
        sentence = f"{name}: {first['msg']}"
    elif kind in PREDICATES:
        sentence = f"{name} {PREDICATES[kind].format_map(context)}."
    else:
        sentence = f"{name}: {first['msg']}."
    return (OptionNotAvailable if kind == NOT_AVAILABLE else InvalidRequest)(sentence, field=field)
