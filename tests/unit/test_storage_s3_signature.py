"""Our signatures compared with botocore's."""

from __future__ import annotations

from datetime import datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from batchscribe.storage.s3.s3_client import BucketAddress
from batchscribe.storage.s3.s3_credentials import AwsCredentials
from batchscribe.storage.s3.s3_signing import signature_headers

MOMENT = 1_764_160_000.0
KEYS = ["a.wav", "a b+c.wav", "100%25.wav", "grüße ☎.wav", "what?#now.wav", "x//y/../~z=&.wav", "/lead'\"<>.wav"]
LISTING = {"list-type": "2", "prefix": "calls/ü +&=~/", "encoding-type": "url", "start-after": "calls/a//b"}


@pytest.mark.parametrize("token", [None, "session-token=="])
@pytest.mark.parametrize("url", ["https://bucket.s3.eu-west-1.amazonaws.com", "http://127.0.0.1:9000/s3/bucket"])
def test_a_request_is_signed_as_botocore_signs_it(url: str, token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = AwsCredentials("AKID", "sec/ret", token)
    place = BucketAddress(url, "eu-west-1", aws)
    requests = [("GET", place.url_of(key), b"") for key in KEYS]
    requests += [("PUT", place.url_of(KEYS[0]), b"{}"), ("GET", place.url_of("", LISTING), b"")]
    for method, target, body in requests:
        ours = signature_headers(method, target, body, aws=aws, region="eu-west-1", moment=MOMENT)
        assert ours["authorization"] == by_botocore(method, target, body, aws, ours["x-amz-date"], monkeypatch)


def by_botocore(
    method: str, url: str, body: bytes, aws: AwsCredentials, date: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    credentials = Credentials(aws.access_key_id, aws.secret_access_key, aws.session_token)
    signer = S3SigV4Auth(credentials, "s3", "eu-west-1")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: fixed(date))
    request = AWSRequest(method=method, url=url, data=body)
    request.context["payload_signing_enabled"] = True
    signer.add_auth(request)
    authorization: str = request.headers["Authorization"]
    return authorization


def fixed(date: str) -> datetime:
    return datetime.strptime(date, "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - as botocore has it
