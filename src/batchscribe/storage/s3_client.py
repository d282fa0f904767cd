"""Make obstore's client for one bucket, and leave it nothing to take from the process's environment.

Measured: with plain keyword credentials the environment's session token is sent along with the job's key; with none at
all the environment's key is, or the cloud's metadata address is asked; `AWS_ENDPOINT_URL_S3` goes before the endpoint
that is passed; proxy variables apply. So the key, the endpoint, the region, the signing and the proxy are all said.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.store import S3Store

from batchscribe import __version__
from batchscribe.storage.access import AwsCredentials

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Credential

TRIES = 4  #: of one request, by obstore itself; nothing above repeats a request.
RETRY_SEC = 60
REQUEST_SEC = 30  #: from connecting to the last byte of an answer of at most a few MiB.
CONNECT_SEC = 5


def s3_client(
    bucket: str, url: str, region: str, aws: AwsCredentials | None, *, patience_sec: float | None = None
) -> S3Store:
    """`url` is the bucket's own, complete; without `aws` requests are not signed. For `patience_sec` see `Access`."""
    retry_sec, request_sec = (min(limit, patience_sec or limit) for limit in (RETRY_SEC, REQUEST_SEC))
    return S3Store(
        bucket,
        aws_endpoint_url_s3=url,  # the one spelling of the endpoint that wins over the environment
        virtual_hosted_style_request=True,  # the URL is that of the bucket
        region=region,
        credential_provider=_provider(aws) if aws else None,
        skip_signature=aws is None,
        client_options=_client_options(url, request_sec),
        retry_config={"max_retries": TRIES - 1, "retry_timeout": timedelta(seconds=retry_sec)},
        request_payer=False,
        s3_express=False,
        unsigned_payload=False,
    )


def _provider(aws: AwsCredentials) -> Callable[[], S3Credential]:
    return lambda: {
        "access_key_id": aws.access_key_id,
        "secret_access_key": aws.secret_access_key,
        "token": aws.session_token,
        "expires_at": None,
    }


def _client_options(url: str, request_sec: float) -> ClientConfig:
    """Naming a proxy and excluding the one host there is turns the environment's proxies off; nothing else does."""
    return {
        "allow_http": url.startswith("http://"),  # the endpoint was checked against the setting
        "allow_invalid_certificates": False,
        "connect_timeout": timedelta(seconds=CONNECT_SEC),
        "timeout": timedelta(seconds=request_sec),
        "proxy_url": "http://proxy.invalid",
        "proxy_excludes": urlsplit(url).hostname or "",
        "user_agent": f"batchscribe/{__version__}",
    }
