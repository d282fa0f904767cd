"""Endpoints from the settings: checks of their URLs, and for `doctor` of whether they answer."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from batchscribe.check import Check, ok, report_failure, warning
from batchscribe.errors import InvalidSetting

LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: Characters that would end the path before the bucket's name, or that are invalid in URLs.
_MISPLACED = re.compile(r"[?#{}\s]")
ANSWER_SEC = 10
SKEW_SEC = 300.0  #: S3 and Azure reject signatures that are off by 15 minutes


def check_endpoint_url(url: str, variable: str, example: str) -> str:
    """Return the endpoint without a trailing "/". Raises `InvalidSetting` if it is no `http(s)` URL of a host."""
    if not _is_valid(url):
        raise InvalidSetting(f"{variable} must be a URL such as {example}.")
    return url.rstrip("/")


def require_https(url: str, variable: str) -> str:
    """Return the URL. Raises `InvalidSetting` for plain HTTP to another machine."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise InvalidSetting(f"{variable} is plain HTTP, which only this machine may use; write https://.")
    return url


def _is_valid(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = _is_host(parts.hostname) and parts.port != 0
    except ValueError:  # unbalanced brackets or an invalid port
        return False
    is_plain = not _MISPLACED.search(url) and parts.path.isascii() and not parts.username
    return parts.scheme in ("http", "https") and has_host and is_plain


def _is_host(name: str | None) -> bool:
    """Return whether the name can be passed to a resolver. Python itself rejects some names."""
    try:
        return bool((name or "").encode("idna"))
    except UnicodeError:
        return False


def check_endpoint(name: str, read: Callable[[], str | None]) -> Iterator[Check]:
    """Check the endpoint that `read` returns, unless it is None. `read` may raise `InvalidSetting`."""
    try:
        endpoint = read()
    except InvalidSetting as error:
        yield report_failure(name, error.message, "Correct the setting.")
        return
    if endpoint is not None:
        yield _check(name, endpoint)


def _check(name: str, endpoint: str) -> Check:
    try:
        date = _date_of(endpoint)
    except (OSError, http.client.HTTPException) as error:
        return report_failure(
            name,
            f"{endpoint} does not answer ({getattr(error, 'strerror', None) or type(error).__name__}).",
            "Check that the service is running and that this machine may connect to it.",
        )
    if date is not None and abs(date - time.time()) > SKEW_SEC:
        return warning(
            name,
            f"Its clock differs from this machine's by {abs(date - time.time()):.0f} s; it may reject signatures.",
            "Synchronize both machines' clocks with NTP.",
        )
    return ok(name, f"{endpoint} answers.")


def _date_of(endpoint: str) -> float | None:
    """Return the endpoint's time in Unix seconds; None if its response has no valid date."""
    url = urlsplit(endpoint)
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = connect(url.netloc, timeout=ANSWER_SEC)
    try:
        connection.request("HEAD", url.path or "/")
        date = connection.getresponse().headers.get("date")
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:  # a malformed date
        return None
    finally:
        connection.close()
