"""Which requests may change data."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from batchscribe.api.cross_site import check_origin
from batchscribe.errors import CrossSiteRequest

HOST = {"host": "Calls.example:8080"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://calls.example:8080"},
        {"origin": "https://public.example", "x-forwarded-host": "public.example"},
    ],
)
def test_a_form_of_our_own_page_is_accepted(headers: dict[str, str]) -> None:
    check_origin("POST", Headers(HOST | headers), is_page=True)
    check_origin("POST", Headers(HOST | headers), is_page=False)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "SAME-ORIGIN"},
        {"sec-fetch-site": "cross-site", "origin": "http://calls.example:8080"},
        {"origin": "null"},
        {"origin": "http://calls.example"},
        {"origin": "http://evil.example"},
        {"origin": "http://calls.example:8080.evil.example"},
        {"origin": "http://calls.example:8080@evil.example"},
        {"origin": "http://["},
        {"origin": "http://calls.example]:8080"},
        {"origin": "//calls.example"},
        {"origin": "calls.example:8080"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_any_other_request_is_refused(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(CrossSiteRequest):
        check_origin(method, Headers(HOST | headers), is_page=True)
    if headers:
        with pytest.raises(CrossSiteRequest):
            check_origin(method, Headers(HOST | headers), is_page=False)
    else:
        check_origin(method, Headers(HOST), is_page=False)  # a program


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_always_allowed(method: str) -> None:
    check_origin(method, Headers(HOST | {"sec-fetch-site": "cross-site"}), is_page=True)


def test_without_a_host_no_origin_is_ours() -> None:
    with pytest.raises(CrossSiteRequest):
        check_origin("POST", Headers({"origin": "null"}), is_page=False)
