"""Checks of storage answers."""

from __future__ import annotations

import pytest

from batchscribe.errors import ObjectChanged, StorageAnswerInvalid
from batchscribe.storage.answer_checks import Answer, Version, is_web_page, opened, read_on, size_in

URI = "s3://bucket/a.wav"
HUGE = "9" * 5000
THEN = "Mon, 23 Nov 2026 10:00:00 GMT"


def part(
    body: bytes = b"hello",
    status: int = 206,
    *,
    content_range: str = "bytes 0-4/20",
    etag: str = '"v1"',
    last_modified: str = THEN,
    content_encoding: str = "",
) -> Answer:
    headers = {"content-range": content_range, "etag": etag, "last-modified": last_modified}
    return Answer(status, headers | {"content-encoding": content_encoding}, body)


@pytest.mark.parametrize(
    "answer",
    [
        part(content_range=""),
        part(content_range="bytes 0-4/*"),
        part(content_range="bytes 0-4/-5"),
        part(content_range=f"bytes 0-4/{HUGE}"),
        part(content_range=f"bytes {HUGE}-{HUGE}/{HUGE}"),
        part(content_range="bytes 0-4/10000000000000000000000000"),
        part(content_range="bytes 0-4/9223372036854775808"),  # 2**63
        part(content_range="bytes 0-4/٢٠"),  # digits, but no ASCII ones
        part(content_range="bytes 5-9/20"),
        part(content_range="bytes 4-0/20"),
        part(content_range="bytes 0-4/5"[::-1]),
        part(b"hell"),
        part(b"hello!"),
        part(b"hel", content_range="bytes 0-2/20"),  # a range shorter than the one asked for
        part(content_encoding="gzip"),
        part(content_encoding="identity, br"),
        part(etag='"' + "x" * 2000 + '"'),
        part(etag='"\x01"'),
        part(last_modified="x" * 100),
        part(b"<!DOCTYPE html><html>Log in</html>", 200),
        part(b"\xef\xbb\xbf\n<HTML>", 200),
        part(b"a whole object that is longer than asked", 200),
    ],
    ids=lambda answer: str({**answer.headers, "body": answer.body})[:60],
)
def test_a_first_answer_that_makes_no_sense_is_the_storages_fault(answer: Answer) -> None:
    with pytest.raises(StorageAnswerInvalid, match=r"s3://bucket/a\.wav.*; "):
        opened(answer, URI, 5)


def test_what_makes_sense_is_taken() -> None:
    assert opened(part(), URI, 5) == (Version(20, '"v1"', THEN), b"hello")
    assert opened(part(b"hey", content_range="bytes 0-2/3"), URI, 5)[0].size == 3
    assert opened(part(b"hey", 200, content_encoding="aws-chunked"), URI, 5)[0].size == 3
    assert opened(part(etag='"é"'), URI, 5)[0].etag == '"é"'
    assert opened(part(etag="", last_modified=""), URI, 5)[0] == Version(20, None, None)


def test_a_version_is_requested_by_its_etag_or_else_by_its_date() -> None:
    assert Version(1, '"v1"', "then").conditions == {"if-match": '"v1"'}
    assert Version(1, None, "then").conditions == Version(1, 'W/"v1"', "then").conditions
    assert Version(1, None, "then").conditions == {"if-unmodified-since": "then"}
    assert Version(1, None, None).conditions == {}


NEXT = "bytes 5-9/20"


@pytest.mark.parametrize(
    "answer",
    [
        part(content_range=NEXT, etag='"v2"'),
        part(content_range=NEXT, etag=""),
        part(content_range="bytes 5-9/21"),
        part(content_range="bytes 5-9/10"),
        part(content_range="bytes 6-10/20"),
        part(content_range="bytes 0-4/20"),
        part(b"hel", content_range="bytes 5-7/20"),
        part(b"hel", content_range="bytes 5-7/8"),
        part(b"hell", content_range=NEXT),
        part(b"hello!", content_range=NEXT),
        part(status=200),
        Answer(416, {"content-range": "bytes */5"}, b""),
    ],
    ids=lambda answer: str((answer.status, answer.headers.get("content-range"), answer.body)),
)
def test_a_later_answer_that_does_not_fit_the_first_means_that_the_object_changed(answer: Answer) -> None:
    version, _ = opened(part(), URI, 5)
    assert read_on(part(content_range=NEXT), URI, 5, 10, version) == b"hello"
    with pytest.raises(ObjectChanged):
        read_on(answer, URI, 5, 10, version)


def test_without_an_etag_the_date_distinguishes_versions() -> None:
    version, _ = opened(part(etag=""), URI, 5)
    assert read_on(part(etag="", content_range=NEXT), URI, 5, 10, version) == b"hello"
    with pytest.raises(ObjectChanged):
        read_on(part(etag="", last_modified="Mon, 23 Nov 2026 10:00:01 GMT", content_range=NEXT), URI, 5, 10, version)


@pytest.mark.parametrize("text", [None, "", "-5", "1e3", "0x10", "5 5", "\u0665", str(2**63), str(10**19), HUGE])
def test_a_size_that_no_database_can_hold_is_ignored(text: str | None) -> None:
    assert size_in(text) is None
    assert size_in(" 5 ") == 5
    assert size_in(str(2**63 - 1)) == 2**63 - 1


def test_only_html_is_a_web_page() -> None:
    assert is_web_page(b"  <!-- proxy --> <html lang=en>")
    assert not is_web_page(b"RIFF<html>")
    assert not is_web_page(b"<htmlish/>")
