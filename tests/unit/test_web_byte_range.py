"""The header `Range` by RFC 9110: what is sent, and what is ignored."""

from __future__ import annotations

import pytest

from batchscribe.web.byte_range import MOST_BYTES, ByteRange, Unsatisfiable, read_range

SIZE = 10 * MOST_BYTES


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("Bytes= 5-9 ", 5, 10),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes={SIZE - 3}-{SIZE + 100}", SIZE - 3, SIZE),
        (f"bytes=0-{'9' * 90}", 0, MOST_BYTES),
    ],
)
def test_a_single_range_is_sent(header: str, start: int, end: int) -> None:
    assert read_range(header, SIZE) == ByteRange(start, end)


@pytest.mark.parametrize("header", ["bytes=0-", f"bytes=0-{SIZE}", f"bytes=-{SIZE}", f"bytes=-{10 * SIZE}"])
def test_a_part_ends_early_so_that_a_browser_that_pauses_keeps_no_connection_open(header: str) -> None:
    assert read_range(header, SIZE) == ByteRange(0, MOST_BYTES)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=9-5", "bytes=0-1,5-9", "items=0-1", "bytes=1-2-3",
     "bytes=+1-2", f"bytes=0-{'9' * 5000}", "bytes=\u0661-\u0662"],
)  # fmt: skip
def test_a_malformed_or_multiple_range_is_ignored(header: str | None) -> None:
    assert read_range(header, SIZE) is None


@pytest.mark.parametrize(
    ("header", "size"), [(f"bytes={SIZE}-", SIZE), ("bytes=-0", SIZE), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_a_range_without_any_byte_is_unsatisfiable(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(header, size)


def test_the_sent_range_is_named_with_the_last_byte() -> None:
    assert ByteRange(5, 10).content_range(11) == "bytes 5-9/11"
