"""Pages of listings, and listings that are endless or invalid."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

import pytest

from batchscribe.errors import StorageAnswerInvalid
from batchscribe.storage import listing_checks, xml_pages
from batchscribe.storage.listing_checks import Listing, Query
from batchscribe.storage.s3.s3_listing import S3Pages, first_query
from batchscribe.storage.store import ObjectInfo


def page(*keys: str, token: str = "", size: str = "5", more: str = "") -> bytes:
    """Return a page. `token` is that of the next one."""
    entries = "".join(
        f'<Contents><Key>{escape(key)}</Key><ETag>"e"</ETag><Size>{size}</Size></Contents>' for key in keys
    )
    told = f"<IsTruncated>{str(bool(token or more)).lower()}</IsTruncated>"
    next_one = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{told}{next_one}{entries}</ListBucketResult>'.encode()


def listed(pages: Iterable[bytes], *, after: str | None = None) -> tuple[list[ObjectInfo], list[Query]]:
    """Return the listed objects and the queries."""
    queries: list[Query] = []
    left = iter(pages)

    def fetch(query: Query) -> bytes:
        queries.append(query)
        return next(left)

    listing = Listing("s3://bucket/calls/", "s3://bucket", "calls/", after)
    pages_read = S3Pages("s3://bucket/calls/", "calls/", fetch)
    found = listing.pages(first_query("calls/", after), pages_read.read)
    return [info for infos in found for info in infos], queries


def names(pages: Iterable[bytes], *, after: str | None = None) -> list[str]:
    return [info.uri.removeprefix("s3://bucket/calls/") for info in listed(pages, after=after)[0]]


def test_a_listing_continues_with_the_token_and_ends_without_one() -> None:
    _, queries = listed([page("calls/a", token="T"), page("calls/b")], after="calls/")
    assert queries[0]["start-after"] == "calls/"
    assert queries[1] == {"continuation-token": "T", "encoding-type": "url", "list-type": "2", "prefix": "calls/"}


def test_without_a_token_a_listing_continues_after_its_last_key() -> None:
    found, queries = listed([page("calls/a", "calls/b", more="yes"), page("calls/c")])
    assert [info.uri for info in found] == [f"s3://bucket/calls/{name}" for name in "abc"]
    assert queries[1]["start-after"] == "calls/b"


def test_keys_within_a_page_may_be_in_any_order() -> None:
    assert names([page("calls/b", "calls/a", token="T"), page("calls/c")]) == ["a", "b", "c"]


def test_a_service_that_starts_from_the_beginning_repeats_nothing_that_was_seen() -> None:
    assert names([page("calls/a", "calls/b", "calls/c")], after="calls/b") == ["c"]


def test_folder_markers_are_left_out() -> None:
    assert names([page("calls/", "calls/a/", size="0")]) == []


@pytest.mark.parametrize("size", ["", "-5", "ten", str(2**63), str(10**19), "9" * 5000])
def test_an_invalid_size_fails_only_that_file(size: str) -> None:
    found, _ = listed([page("calls/a", size=size, token="T"), page("calls/b")])
    assert [info.size for info in found] == [None, 5]


def test_a_key_that_no_database_stores_names_nothing_and_loses_no_other() -> None:
    encoded = page("calls/%00.wav", "calls/a+b.wav", "calls/%FF.wav").replace(
        b"<IsTruncated>", b"<EncodingType>url</EncodingType><IsTruncated>"
    )
    assert names([encoded]) == ["\ufffd.wav", "a b.wav", "\ufffd.wav"]


@pytest.mark.parametrize(
    ("pages", "sentence"),
    [
        ([page("calls/a", token="T"), page("calls/a")], "repeats objects"),
        ([page("calls/b", token="T"), page("calls/a")], "not in the order"),
        ([page("calls/a", "calls/a")], "repeats objects"),
        ([page(token="T"), page(token="T")], "repeats its continuation token"),
        ([page("calls/a", token="T"), page("calls/b", token="T")], "repeats its continuation token"),
        ([page(more="yes")], "does not end"),
        ([page("calls/a", "secrets/b")], "outside the prefix"),
        ([page("")], "name is missing"),
        ([page("calls/" + "x" * 10_000)], "far too long"),
        ([b"<html><body>Log in</body></html>"], "web page"),
        ([b"<!DOCTYPE html><p>Log in<br>"], "web page"),
        ([b"<ListAllMyBucketsResult/>"], "not an S3 listing"),
        ([b"{}"], "not an S3 listing"),
        ([b""], "not an S3 listing"),
        ([page("calls/a")[:-5]], "not an S3 listing"),
        ([b'<?xml version="1.0" encoding="made-up"?><ListBucketResult/>'], "not an S3 listing"),
        ([b'<!DOCTYPE a [<!ENTITY b "b">]><ListBucketResult>&c;</ListBucketResult>'], "not an S3 listing"),
    ],
)
def test_an_invalid_or_endless_listing_is_the_storages_fault(pages: list[bytes], sentence: str) -> None:
    with pytest.raises(StorageAnswerInvalid, match=sentence):
        listed([*pages, page("calls/zz")])


def test_endless_empty_pages_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_checks, "MOST_EMPTY_PAGES", 20)
    with pytest.raises(StorageAnswerInvalid, match="empty pages"):
        listed(page(token=f"T{number}") for number in range(1000))


@pytest.mark.parametrize("filler", [b"<a/>", b"<a>", b'<a b=""/>'])
def test_a_page_of_nothing_but_tags_is_refused_before_it_is_parsed(filler: bytes) -> None:
    with pytest.raises(StorageAnswerInvalid, match="larger than 1,000 keys"):
        listed([b"<ListBucketResult>" + filler * 200_001])


def test_a_page_longer_than_any_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_pages, "MAX_PAGE_BYTES", 200)
    with pytest.raises(StorageAnswerInvalid, match="larger than 1,000 keys"):
        listed([page(*[f"calls/{number:03}" for number in range(100)])])
