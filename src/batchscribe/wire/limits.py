"""How much a request may name; the contract's figures unless the operator says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationInfo


@dataclass(frozen=True, slots=True)
class Limits:
    """Passed to the wire's types as their validation context."""

    manifest: int = 1_000  # contract 1.2
    globs: int = 10  # contract 1.2
    reference_chars: int = 256  # contract 1.2
    plain_webhooks: bool = False  #: webhooks may go to http:// too


def limits_of(info: ValidationInfo) -> Limits:
    return info.context if isinstance(info.context, Limits) else Limits()
