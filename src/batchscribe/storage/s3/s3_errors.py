"""The mapping from S3 error codes to errors of batchscribe.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. The HTTP status is used only if the code is
missing or unknown. Messages include the code and no other text from the storage.
"""

from __future__ import annotations

import re

from batchscribe.errors import BucketNotFound, StorageError, StorageRedirected, WrongRegion
from batchscribe.storage.answer_checks import Answer, nonsense, region_in
from batchscribe.storage.refusals import (
    ARCHIVED,
    BUCKET_NAME,
    BUSY,
    CHANGED,
    CLOCK,
    CLOSED,
    DENIED,
    ENCRYPTION,
    EXPIRED,
    FAILING,
    FULL,
    NO_BUCKET,
    NO_OBJECT,
    UNKNOWN_KEY,
    WRONG_SECRET,
    Refusal,
    by_code,
    meaning_of,
)

BY_CODE = by_code(
    {
        NO_BUCKET: ("NoSuchBucket",),
        BUCKET_NAME: ("InvalidBucketName",),
        NO_OBJECT: ("NoSuchKey", "NoSuchVersion"),
        ARCHIVED: ("InvalidObjectState", "ObjectNotInActiveTierError"),
        EXPIRED: (
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidToken",
            "TokenRefreshRequired",
            "InvalidSecurity",
            "InvalidClientTokenId",
        ),
        UNKNOWN_KEY: ("InvalidAccessKeyId", "UnrecognizedClientException"),
        WRONG_SECRET: ("SignatureDoesNotMatch",),
        CLOCK: ("RequestTimeTooSkewed", "RequestExpired"),
        CLOSED: (
            "AccountProblem",
            "AllAccessDisabled",
            "NotSignedUp",
            "InvalidPayer",
            "UserSuspended",
        ),
        DENIED: ("AccessDenied", "AccessForbidden", "Forbidden"),
        FULL: (
            "QuotaExceeded",
            "InsufficientStorage",
            "XMinioStorageFull",
            "StorageFull",
            "TotalStorageLimitExceeded",
        ),
        BUSY: (
            "SlowDown",
            "SlowDownRead",
            "SlowDownWrite",
            "TooManyRequests",
            "RequestLimitExceeded",
            "Throttling",
            "ThrottlingException",
            "BandwidthLimitExceeded",
            "ServerBusy",
        ),
        FAILING: (
            "InternalError",
            "ServiceUnavailable",
            "RequestTimeout",
            "OperationAborted",
            "ConditionalRequestConflict",
        ),
    }
)
_NOT_KNOWN_HERE = Refusal(
    StorageError,
    "The storage does not support the request for {uri} ({reason}); check that the endpoint serves S3.",
)
_OTHER_REGION = {
    "PermanentRedirect",
    "TemporaryRedirect",
    "Redirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
}
_NO_REDIRECT = {300, 304, 305, 306}
_ERROR_DOCUMENT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}\?>\s*)?<Error[\s>]")
_CODE = re.compile(r"<Code>\s*([\w.-]{1,64})\s*</Code>")
_REGION = re.compile(r"<Region>\s*([a-z0-9-]{1,32})\s*</Region>")


def refusal(answer: Answer, uri: str) -> StorageError:
    """Return the error for an unsuccessful answer."""
    status, code = answer.status, code_of(answer)
    if code in _OTHER_REGION or 300 <= status < 400:
        return _elsewhere(answer, uri)
    meaning = CHANGED if status == 412 else _meaning(status, code)
    return meaning.error(uri, code or f"HTTP {status}")


def _meaning(status: int, code: str | None) -> Refusal:
    if code is not None and code not in BY_CODE and code.startswith("KMS."):
        return ENCRYPTION
    if code not in BY_CODE and status in (405, 501):
        return _NOT_KNOWN_HERE
    if code not in BY_CODE and status == 409:  # another writer at the same moment
        return FAILING
    return meaning_of(status, code, BY_CODE)


def is_error_document(body: bytes) -> bool:
    """Return whether the body is an S3 error. Some services send one with status 200."""
    return _ERROR_DOCUMENT.match(body) is not None


def is_nowhere(answer: Answer) -> bool:
    """Return whether a listing or a PUT found no bucket. Neither needs an existing object."""
    return answer.status == 404 and code_of(answer) in (None, "NoSuchKey")


def no_bucket(uri: str) -> BucketNotFound:
    return BucketNotFound(f"The storage has no bucket for {uri}; correct the bucket's name, or the endpoint.")


def code_of(answer: Answer) -> str | None:
    """Return the S3 error code, such as `NoSuchBucket`."""
    found = _CODE.search(answer.body[: 64 * 2**10].decode("utf-8", "replace"))
    return found[1] if found else None


def _elsewhere(answer: Answer, uri: str) -> StorageError:
    """Return the error for a bucket in another region, or for another redirect. No redirect is followed."""
    region = region_in(answer.headers.get("x-amz-bucket-region")) or _region_named(answer)
    if region is None and code_of(answer) not in _OTHER_REGION and "location" in answer.headers:
        return StorageRedirected(
            f"The storage redirects {uri} ({answer.status}), and redirects are not followed; set "
            "BATCHSCRIBE_S3_ENDPOINT to the target's address."
        )
    if answer.status in _NO_REDIRECT and code_of(answer) not in _OTHER_REGION:
        return nonsense(uri, f"its status is {answer.status}")
    named = f" ({region})" if region else ""
    return WrongRegion(
        f"The bucket of {uri} is in another region{named}; set BATCHSCRIBE_S3_REGION to that region.", region=region
    )


def _region_named(answer: Answer) -> str | None:
    """Return the region in the body of an `AuthorizationHeaderMalformed` error."""
    found = _REGION.search(answer.body[: 64 * 2**10].decode("utf-8", "replace"))
    return found[1] if found else None
