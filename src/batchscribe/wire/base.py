"""The base model and common types of the wire, and the size limits of requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

JsonObject = dict[str, Any]

INVALID = "invalid"
NOT_AVAILABLE = "option_not_available"


class WireModel(BaseModel):
    """A frozen model that ignores unknown fields, treats null as absent, and never shows the input in errors."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    #: Fields that clients may send although they have no effect; see `unknown_fields`.
    ignored_fields: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


def refusal(sentence: str, *, field: str = "", kind: str = INVALID) -> PydanticCustomError:
    """Build the error for a validator to raise. `field` is relative to the field of the validator."""
    # The sentence is passed as a value, so that braces in it are not parsed as a template.
    return PydanticCustomError(kind, "{sentence}", {"sentence": sentence, "field": field})


def _reject_nul(text: str) -> str:
    if "\0" in text:
        raise refusal("NUL characters are not allowed.")
    return text


NoNul = AfterValidator(_reject_nul)

#: Text that any database and any file system can store.
Text = Annotated[str, NoNul]


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits of a server, passed to pydantic as the validation context."""

    manifest: int = 1_000  # contract 1.2
    globs: int = 10  # contract 1.2
    reference_chars: int = 256  # contract 1.2
    plain_webhooks: bool = False  #: whether webhooks may use http://


def request_limits_of(info: ValidationInfo) -> RequestLimits:
    return info.context if isinstance(info.context, RequestLimits) else RequestLimits()
