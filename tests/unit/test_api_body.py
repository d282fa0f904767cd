"""The body of a request as bytes."""

from __future__ import annotations

from batchscribe.api.body import parsed


def test_a_byte_order_mark_before_a_body_is_nothing() -> None:
    assert parsed(b'\xef\xbb\xbf{"input": {"uri": "s3://calls/\xe2\x80\xa8.wav"}}') == {
        "input": {"uri": "s3://calls/\N{LINE SEPARATOR}.wav"}
    }
