"""What all types of the wire have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

JsonObject = dict[str, Any]

INVALID = "invalid"
NOT_AVAILABLE = "option_not_available"


class WireModel(BaseModel):
    """Frozen; unknown fields are ignored; null means the same as absent; no error ever shows the input."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


def refusal(sentence: str, *, field: str = "", kind: str = INVALID) -> PydanticCustomError:
    """To be raised in a validator. `field` names a field below the one the validator belongs to."""
    # The sentence travels as a value, so that braces in it are never taken for a template.
    return PydanticCustomError(kind, "{sentence}", {"sentence": sentence, "field": field})


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise refusal("A NUL character is not allowed here.")
    return text


NoNul = AfterValidator(_without_nul)

#: Text that any database and any file system can hold.
Text = Annotated[str, NoNul]
