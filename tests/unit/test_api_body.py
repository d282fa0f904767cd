"""The body of a request as bytes."""

from __future__ import annotations

import json

import pytest

from batchscribe.api.body import MIN_BYTES_PER_VALUE, Body, parse_object
from batchscribe.errors import BodyTooLarge
from batchscribe.settings import Settings

LIMIT_BYTES = Settings.model_fields["max_body_bytes"].default


def test_a_byte_order_mark_before_a_body_is_nothing() -> None:
    assert parse_object(b'\xef\xbb\xbf{"input": {"uri": "s3://calls/\xe2\x80\xa8.wav"}}') == {
        "input": {"uri": "s3://calls/\N{LINE SEPARATOR}.wav"}
    }


@pytest.mark.parametrize("item", ["1", "[]", "{}", '""', "null"])
def test_a_body_of_tiny_values_is_refused_before_it_is_read(item: str) -> None:
    count = LIMIT_BYTES // MIN_BYTES_PER_VALUE + 1
    with pytest.raises(BodyTooLarge, match="values"):
        Body(f'{{"input": [{",".join([item] * count)}]}}'.encode(), LIMIT_BYTES).parse()


def test_the_longest_manifest_is_read_though_its_names_are_full_of_commas() -> None:
    uris = [f"s3://calls/{'a,' * 40}{number}.wav" for number in range(1000)]
    body = {"input": {"manifest": uris}}
    assert Body(json.dumps(body).encode(), LIMIT_BYTES).parse() == body
