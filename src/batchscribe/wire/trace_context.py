"""W3C trace context: which span a submission belongs to, as `traceparent` names it."""

from __future__ import annotations

import re
from collections.abc import Mapping

TRACEPARENT = "traceparent"  #: the header; OpenTelemetry's variable for child processes has the same name in capitals
#: Today's version has no fifth part; later versions may.
_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]{0,72})?")


def read_traceparent(text: str | None) -> str | None:
    """Return a well-formed value without the spaces around it; None for any other."""
    found = _FORM.fullmatch((text or "").strip(" \t"))
    return found[0] if found else None


def traceparent_of(environment: Mapping[str, str]) -> str | None:
    """Return the variable `TRACEPARENT` if it is well-formed."""
    return read_traceparent(environment.get(TRACEPARENT.upper()))
