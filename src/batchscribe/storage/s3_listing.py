"""List keys that obstore cannot say.

One key with an empty segment, a `..` or a control character (`calls//a.wav`) makes obstore's listing fail as a whole,
and with it a job of a million files. From there on pages are asked for with a URL that obstore signs, and read here:
such a key then costs, at most, its own file.
"""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, unquote_plus, urlencode
from xml.etree import ElementTree

import obstore
from obstore.store import S3Store

from batchscribe.errors import StorageUnavailable
from batchscribe.storage.s3_errors import refusal
from batchscribe.storage.store import ObjectInfo, Page

TIMEOUT_SEC = 30
_URL = re.compile(r"(https?)://([^/?]+)/?(.*)")  # not `urlsplit`, which would remember the signature
SIGNED_FOR = timedelta(minutes=5)
MAX_PAGE_BYTES = 16 * 2**20  #: a thousand keys of 1,024 bytes, each byte percent-encoded, and what stands around them


@dataclass(frozen=True, slots=True)
class ExactPage:
    """`last_key`: where the next page goes on; None behind the last page."""

    objects: Page
    last_key: str | None


def listing_query(prefix: str, after: str | None) -> str:
    """Of ListObjectsV2. `x-id`, which services ignore, comes last and takes up the path that obstore adds."""
    query = {"encoding-type": "url", "list-type": "2", "prefix": prefix, "start-after": after or "", "x-id": ""}
    return "?" + urlencode(query, quote_via=quote)


def signed_url(store: S3Store) -> str:
    """`store` is one whose URL ends in a `listing_query`."""
    return obstore.sign(store, "GET", "ListObjectsV2", SIGNED_FOR)


def fetch_page(url: str, bucket: str, prefix_uri: str, *, has_token: bool) -> ExactPage:
    """One request, past any proxy, without a retry. Raises the `StorageError` that fits the refusal."""
    status, body = _get(url, prefix_uri)
    if status != http.client.OK:
        raise refusal(status, body.decode(errors="replace"), prefix_uri, has_token=has_token)
    try:
        return _page(ElementTree.fromstring(body), bucket)  # noqa: S314 (expat limits what entities expand to)
    except ElementTree.ParseError:
        unreadable = StorageUnavailable(f"The storage's listing of {prefix_uri} cannot be read; run the job again.")
    raise unreadable


def _get(url: str, prefix_uri: str) -> tuple[int, bytes]:
    scheme, host, target = _URL.findall(url)[0]
    connect = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    connection = connect(host, timeout=TIMEOUT_SEC)
    try:
        connection.request("GET", f"/{target}")
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_PAGE_BYTES)
    except (OSError, http.client.HTTPException):
        silent = StorageUnavailable(f"The storage did not list {prefix_uri} (no answer).")
    finally:
        connection.close()
    raise silent


def _page(listing: ElementTree.Element, bucket: str) -> ExactPage:
    decode = unquote_plus if listing.findtext("{*}EncodingType") == "url" else str
    found = [(decode(item.findtext("{*}Key", "")), item) for item in listing.iterfind("{*}Contents")]
    objects = [_info(bucket, key, item) for key, item in found]
    more = listing.findtext("{*}IsTruncated") == "true" and found
    return ExactPage(
        [info for info in objects if info.size or not info.uri.endswith("/")], found[-1][0] if more else None
    )


def _info(bucket: str, key: str, item: ElementTree.Element) -> ObjectInfo:
    return ObjectInfo(f"s3://{bucket}/{key}", int(item.findtext("{*}Size", "0")), item.findtext("{*}ETag"))
