"""The check of an endpoint for `doctor`: whether it answers, and whether its clock agrees with this machine's."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from batchscribe.check import Check, ok, report_failure, warning
from batchscribe.errors import InvalidSetting

ANSWER_SEC = 10
SKEW_SEC = 300.0  #: S3 and Azure reject signatures that are off by 15 minutes


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
