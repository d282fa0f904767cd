"""Which values of `traceparent` are well-formed: https://www.w3.org/TR/trace-context/#traceparent-header."""

from __future__ import annotations

import pytest

from batchscribe.wire.trace_context import read_traceparent

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE_ID}-{SPAN_ID}-01"


@pytest.mark.parametrize("value", [VALID, VALID[:-1] + "0", f"cc-{TRACE_ID}-{SPAN_ID}-01-what-later-versions-add"])
def test_a_valid_one_is_kept(value: str) -> None:
    assert read_traceparent(value) == value
    assert read_traceparent(f" {value}\t") == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "garbage",
        VALID.upper(),
        VALID[:-1],
        f"{VALID}\n",
        f"{VALID}\nX-Injected: yes",
        f"{VALID}-\x00",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-01-{'x' * 5000}",
        VALID.replace("4", "٤"),
    ],
)
def test_any_other_is_ignored(value: str | None) -> None:
    assert read_traceparent(value) is None
