"""Size limits of requests; the defaults are those of the contract."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationInfo


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server, passed to pydantic as the validation context."""

    manifest: int = 1_000  # contract 1.2
    globs: int = 10  # contract 1.2
    reference_chars: int = 256  # contract 1.2
    plain_webhooks: bool = False  #: whether webhooks may use http://


def limits_of(info: ValidationInfo) -> Limits:
    return info.context if isinstance(info.context, Limits) else Limits()
