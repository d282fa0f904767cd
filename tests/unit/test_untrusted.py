"""Parsing of untrusted JSON and text."""

from __future__ import annotations

import base64

import pytest

from batchscribe.api.body import last_of, parse_object, token_after
from batchscribe.errors import InvalidRequest, MalformedBody
from batchscribe.wire.untrusted import MAX_DEPTH, is_text, read_json

HALF = '"\\ud800"'


@pytest.mark.parametrize("text", ["{}", "[1, 2.5, null]", '"\\ud83d\\ude00"', "[" * MAX_DEPTH + "]" * MAX_DEPTH])
def test_json_is_read(text: str) -> None:
    assert read_json(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "NaN", "[Infinity]", "[1e400]", "[-1e400]", "9" * 5000),
        *(HALF, f"[{HALF}]", f'{{"a": {{"b": [{HALF}]}}}}', f"{{{HALF}: 1}}", '"\\udc00\\ud800"'),
        *("[" * (MAX_DEPTH + 1) + "1" + "]" * (MAX_DEPTH + 1), "[" * 943 + '"\\u0041"' + "]" * 943, "[" * 200_000),
        '{"a":' * 100_000 + "1" + "}" * 100_000,
    ],
)
def test_what_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_json(text)
    with pytest.raises(MalformedBody):
        parse_object(text.encode())


def test_text_is_anything_but_half_a_pair() -> None:
    assert is_text("a\0ü\U0001f600")
    assert not is_text("a\udfffb")


@pytest.mark.parametrize("content", ['{"job_id": "\\ud800"}', "[" * 2000, "{", '{"job_id": 1}', "\xff"])
def test_a_page_token_of_a_strangers_making_is_refused(content: str) -> None:
    token = base64.urlsafe_b64encode(content.encode("latin-1")).decode().rstrip("=")
    with pytest.raises(InvalidRequest) as refused:
        last_of(token, "job_id")
    assert refused.value.field == "next_page_token"


def test_a_valid_page_token_is_read() -> None:
    assert last_of(token_after(job_id="job_1"), "job_id") == "job_1"
