"""Where an S3 bucket answers: its full URL, and its region."""

from __future__ import annotations

import http.client
import re
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from batchscribe.errors import InvalidSetting, StorageUnavailable
from batchscribe.storage.access import Access

DEFAULT_REGION = "us-east-1"
AWS = "https://s3.amazonaws.com"  #: answers an unsigned HEAD for any bucket with the region it is in.
LOOKUP_TIMEOUT_SEC = 10
#: Bucket names that are one DNS label. Names with dots break the TLS certificate, older ones are no host names.
_HOST_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def checked_endpoint(access: Access) -> str | None:
    """The custom endpoint without a closing "/"; raises `InvalidSetting` naming the setting to correct."""
    if access.s3_endpoint is None:
        return None
    url = urlsplit(access.s3_endpoint)
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.username:
        raise InvalidSetting("BATCHSCRIBE_S3_ENDPOINT must be a URL such as https://s3.example.org.")
    if url.scheme == "http" and not access.s3_allow_http:
        raise InvalidSetting("BATCHSCRIBE_S3_ENDPOINT is plain HTTP; set BATCHSCRIBE_S3_ALLOW_HTTP=true to allow it.")
    return access.s3_endpoint.rstrip("/")


def bucket_url(bucket: str, *, endpoint: str | None, region: str, path_style: bool) -> str:
    """As a host name where bucket and endpoint can make one, else as a path of the endpoint."""
    base = endpoint or f"https://s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    url = urlsplit(base)
    if path_style or not _HOST_LABEL.fullmatch(bucket) or _is_machine(url.hostname or ""):
        return f"{base}/{quote(bucket, safe='')}"
    return f"{url.scheme}://{bucket}.{url.netloc}{url.path}"


def _is_machine(host: str) -> bool:
    """An address or `localhost`: there are no host names below it."""
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def split_folder(key: str) -> tuple[str, str]:
    """The part of a key that belongs into the bucket's URL, percent-encoded, and the rest.

    obstore cannot say a key with an empty segment (`calls//a.wav`, `/a.wav`): everything up to the last one goes into
    the URL, which it takes as it is. Other keys are all rest.
    """
    path = "/" + key
    cut = path.rfind("//")
    return ("", key) if cut < 0 else (quote(path[: cut + 1], safe="/~"), path[cut + 2 :])


def region_of(bucket: str, endpoint: str = AWS) -> str | None:
    """One unsigned HEAD, past any proxy; AWS names the region even when it refuses. None where none is named."""
    url = urlsplit(endpoint)
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = connect(url.netloc, timeout=LOOKUP_TIMEOUT_SEC)
    try:
        connection.request("HEAD", f"{url.path}/{quote(bucket, safe='')}")
        return connection.getresponse().headers.get("x-amz-bucket-region")
    except (OSError, http.client.HTTPException) as error:
        raise StorageUnavailable(
            f"The region of bucket {bucket} cannot be asked for; set BATCHSCRIBE_S3_REGION."
        ) from error
    finally:
        connection.close()
