"""Signatures of S3 requests: AWS Signature Version 4 in the headers.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. Tests compare the signature with
botocore's and send it to radosgw, which verifies it.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

from batchscribe.storage.s3.s3_credentials import AwsCredentials

_ALGORITHM = "AWS4-HMAC-SHA256"


def signature_headers(
    method: str, url: str, body: bytes, *, aws: AwsCredentials, region: str, moment: float
) -> dict[str, str]:
    """Return the signature headers. `url` is percent-encoded with a sorted query; `moment` is in Unix seconds."""
    at = datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {
        "host": urlsplit(url).netloc,
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": at,
    }
    if aws.session_token:
        signed["x-amz-security-token"] = aws.session_token
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(_canonical(method, url, signed).encode()).hexdigest()
    key = _signing_key(aws.secret_access_key, at[:8], region)
    signature = hmac.new(key, f"{_ALGORITHM}\n{at}\n{scope}\n{digest}".encode(), hashlib.sha256).hexdigest()
    authorization = (
        f"{_ALGORITHM} Credential={aws.access_key_id}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
    )
    return {**signed, "authorization": authorization}


def _canonical(method: str, url: str, signed: dict[str, str]) -> str:
    """Return the canonical request. The names in `signed` must be sorted."""
    parts = urlsplit(url)
    headers = "".join(f"{name}:{value}\n" for name, value in signed.items())
    return "\n".join(
        [method, parts.path or "/", parts.query, headers, ";".join(signed), signed["x-amz-content-sha256"]]
    )


def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
