"""The mapping from S3 error codes to errors of batchscribe.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. The HTTP status is used only if the code is
missing or unknown. Messages include the code and no other text from the storage.
"""

from __future__ import annotations

import re

from batchscribe.errors import (
    AccessDenied,
    AccessKeyUnknown,
    BucketNameInvalid,
    BucketNotFound,
    ClockSkewed,
    CredentialsExpired,
    EncryptionKeyUnusable,
    ObjectArchived,
    ObjectChanged,
    ObjectNotFound,
    SecretKeyWrong,
    StorageBusy,
    StorageError,
    StorageFull,
    StorageRedirected,
    StorageUnavailable,
    WrongRegion,
)
from batchscribe.storage.answer_checks import Answer, nonsense, region_in

#: The class, its message with the placeholders `{uri}` and `{reason}`, and the S3 codes for it.
_Row = tuple[type[StorageError], str, frozenset[str]]


def _row(kind: type[StorageError], sentence: str, *codes: str) -> _Row:
    return kind, sentence, frozenset(codes)


_TABLE: tuple[_Row, ...] = (
    _row(BucketNotFound, "{uri} is in a bucket that does not exist; correct its name.", "NoSuchBucket"),
    _row(
        BucketNameInvalid,
        "The storage does not accept the bucket name of {uri} ({reason}); correct it.",
        "InvalidBucketName",
    ),
    _row(
        ObjectNotFound,
        "There is no object {uri}; correct its name, or check whether it was deleted.",
        "NoSuchKey",
        "NoSuchVersion",
    ),
    _row(
        ObjectArchived,
        "{uri} is in an archive tier ({reason}); restore it, then run it again.",
        "InvalidObjectState",
        "ObjectNotInActiveTierError",
    ),
    _row(
        CredentialsExpired,
        "The session token for {uri} is expired or invalid ({reason}); send fresh credentials.",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidToken",
        "TokenRefreshRequired",
        "InvalidSecurity",
        "InvalidClientTokenId",
    ),
    _row(
        AccessKeyUnknown,
        "The storage refused access to {uri}: it does not know the access key ({reason}); correct the access key id.",
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
    ),
    _row(
        SecretKeyWrong,
        "The storage refused access to {uri}: the secret key does not belong to the access key ({reason}); correct it.",
        "SignatureDoesNotMatch",
    ),
    _row(
        ClockSkewed,
        "The storage refused access to {uri}: this machine's clock is off ({reason}); set it by NTP.",
        "RequestTimeTooSkewed",
        "RequestExpired",
    ),
    _row(
        AccessDenied,
        "The storage refused access to {uri}: the account is closed or unpaid ({reason}); ask its owner.",
        "AccountProblem",
        "AllAccessDisabled",
        "NotSignedUp",
        "InvalidPayer",
        "UserSuspended",
    ),
    _row(
        AccessDenied,
        "The storage refused access to {uri} ({reason}); check the key and its permissions.",
        "AccessDenied",
        "AccessForbidden",
        "Forbidden",
    ),
    _row(
        StorageFull,
        "The storage has no space for {uri} ({reason}); free some space, or raise the quota.",
        "QuotaExceeded",
        "InsufficientStorage",
        "XMinioStorageFull",
        "StorageFull",
        "TotalStorageLimitExceeded",
    ),
    _row(
        StorageBusy,
        "The storage still asks for fewer requests after all retries of {uri} ({reason}); use fewer workers.",
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
    _row(
        StorageUnavailable,
        "The storage still failed after all retries of {uri} ({reason}); try again when it works again.",
        "InternalError",
        "ServiceUnavailable",
        "RequestTimeout",
        "OperationAborted",
        "ConditionalRequestConflict",
    ),
)
BY_CODE = {code: (kind, sentence) for kind, sentence, codes in _TABLE for code in codes}
BY_STATUS = {
    401: "AccessDenied",
    403: "AccessDenied",
    404: "NoSuchKey",
    408: "RequestTimeout",
    410: "NoSuchKey",
    429: "SlowDown",
    507: "InsufficientStorage",
}
_ENCRYPTION = "{uri} is encrypted with a key that cannot be used ({reason}); check the key and who may use it."
_UNKNOWN = "The storage refused {uri} ({reason}); its documentation says what that means."
_NOT_KNOWN_HERE = "The storage does not support the request for {uri} ({reason}); check that the endpoint serves S3."
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
    if status == 412:
        return ObjectChanged(f"{uri} was replaced while it was being read; run it again.")
    kind, sentence = _meaning(status, code)
    return kind(sentence.format(uri=uri, reason=code or f"HTTP {status}"))


def _meaning(status: int, code: str | None) -> tuple[type[StorageError], str]:
    if code in BY_CODE:
        return BY_CODE[code]
    if code is not None and code.startswith("KMS."):
        return EncryptionKeyUnusable, _ENCRYPTION
    if status in BY_STATUS:
        return BY_CODE[BY_STATUS[status]]
    if status in (405, 501):
        return StorageError, _NOT_KNOWN_HERE
    if status >= 500 or status == 409:
        return BY_CODE["InternalError"]
    return StorageError, _UNKNOWN


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
