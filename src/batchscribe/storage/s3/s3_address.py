"""The URL and the region of an S3 bucket."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings
from batchscribe.storage.answer_checks import region_in
from batchscribe.storage.endpoints import check_endpoint_url
from batchscribe.storage.http_client import NO_ANSWER, REQUEST_SEC, HttpClient, HttpRequest
from batchscribe.storage.unreachable import no_answer

DEFAULT_REGION = "us-east-1"
AWS = "https://s3.amazonaws.com"  #: answers an unsigned HEAD for any bucket with its region
#: Bucket names that are one DNS label. Names with dots do not match the TLS certificate. Some old names are not host
#: names.
_HOST_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def checked_endpoint(settings: Settings) -> str | None:
    """Return the custom endpoint without a trailing "/". Raises `InvalidSetting`."""
    if settings.s3_endpoint is None:
        return None
    url = check_endpoint_url(settings.s3_endpoint, "BATCHSCRIBE_S3_ENDPOINT", "https://s3.example.org")
    if url.startswith("http:") and not settings.s3_allow_http:
        raise InvalidSetting("BATCHSCRIBE_S3_ENDPOINT is plain HTTP; set BATCHSCRIBE_S3_ALLOW_HTTP=true to allow it.")
    return url


def bucket_url(bucket: str, *, endpoint: str | None, region: str, path_style: bool) -> str:
    """Return the URL with the bucket in the host name if possible, else in the path."""
    base = endpoint or f"https://s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    url = urlsplit(base)
    if path_style or not _HOST_LABEL.fullmatch(bucket) or _is_machine(url.hostname or ""):
        return f"{base}/{quote(bucket, safe='', errors='replace')}"
    return f"{url.scheme}://{bucket}.{url.netloc}{url.path}"


def _is_machine(host: str) -> bool:
    """Return whether the host is an IP address or `localhost`, which cannot have subdomains."""
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def region_of(bucket: str, endpoint: str = AWS, *, within_sec: float = REQUEST_SEC) -> str | None:
    """Return the region from an unsigned HEAD; None if missing or invalid. AWS sends it even if it denies access."""
    url = f"{endpoint}/{quote(bucket, safe='', errors='replace')}"
    try:
        answer = HttpClient().send(HttpRequest("HEAD", url, {}), within_sec=within_sec)
    except NO_ANSWER as error:
        failure = no_answer(error, f"s3://{bucket}", urlsplit(endpoint).netloc)
    else:
        return region_in(answer.headers.get("x-amz-bucket-region"))
    raise type(failure)(f"{failure.message} Or set BATCHSCRIBE_S3_REGION, so that the region need not be looked up.")
