"""What obstore's errors mean to the user. This is the only place that reads their text.

obstore has few types: a missing bucket, an expired token and a wrong region all arrive as `GenericError`, with the
HTTP status and S3's `<Code>` somewhere in the text. The text is no stable interface and shows addresses and headers:
the version of obstore is pinned, tests run this mapping against real servers, and nothing but S3's code is passed on.
"""

from __future__ import annotations

import re

from obstore.exceptions import AlreadyExistsError, InvalidPathError

from batchscribe.errors import (
    AccessDenied,
    BucketNotFound,
    CredentialsExpired,
    ObjectChanged,
    ObjectNotFound,
    OutputExists,
    StorageError,
    StorageUnavailable,
    WrongRegion,
)

#: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_BAD_TOKEN = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "ExpiredTokenException", "InvalidSecurity"}
#: How other services than AWS answer a session token that is none of theirs (measured: radosgw), and any HEAD.
_BARE_REFUSALS = {None, "InvalidArgument"}
_OTHER_REGION = {
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
}
_DENIED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "AllAccessDisabled"}
_BARE_REDIRECT = "redirect without LOCATION"  #: obstore's words for the 301 that S3 sends
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"\bstatus(?: code)?: (\d{3})\b")
_REGION = re.compile(r"<Region>([a-z0-9-]{1,32})</Region>")


def s3_error(error: Exception, uri: str, *, has_token: bool) -> StorageError:
    """`has_token`: the request carried a session token, so a refusal that gives no reason is laid to it."""
    answer = answer_in(error)
    if isinstance(error, InvalidPathError | ValueError):
        return StorageError(
            f"{uri} has a key that cannot be addressed: '.' or '..' between slashes, or a control character."
        )
    if isinstance(error, AlreadyExistsError):
        return OutputExists(f"{uri} exists already; allow overwriting or choose another output.")
    if _BARE_REDIRECT in answer:
        return _wrong_region(uri, answer)
    return refusal(status_of(answer), answer, uri, has_token=has_token)


def refusal(status: int | None, answer: str, uri: str, *, has_token: bool) -> StorageError:
    """From the HTTP status, None without an answer, and S3's error document somewhere in `answer`."""
    code = code_of(answer)
    reason = code or (f"HTTP {status}" if status else "no answer")
    if code == "NoSuchBucket":
        return BucketNotFound(f"{uri} is in a bucket that does not exist; correct its name.")
    if status == 404:
        return ObjectNotFound(f"There is no object {uri}.")
    if code in _BAD_TOKEN or (has_token and status == 400 and code in _BARE_REFUSALS):
        return CredentialsExpired(
            f"The session token for {uri} is expired or invalid ({reason}); send fresh credentials."
        )
    if code in _OTHER_REGION or status in (301, 307):
        return _wrong_region(uri, answer)
    if code in _DENIED or status in (401, 403):
        return AccessDenied(f"The storage refused access to {uri} ({reason}); check the key and its permissions.")
    if status == 412:
        return ObjectChanged(f"{uri} was replaced while it was being read; run it again.")
    if status is None or status in (408, 409, 429) or status >= 500:
        return StorageUnavailable(f"The storage did not serve {uri} ({reason}), also after retries.")
    return StorageError(f"The storage refused {uri} ({reason}).")


def _wrong_region(uri: str, answer: str) -> WrongRegion:
    message = f"The bucket of {uri} is in another region; name that in BATCHSCRIBE_S3_REGION."
    return WrongRegion(message, region=region_in(answer))


def answer_in(error: Exception) -> str:
    """The part of the text behind the key, which may look like anything; empty when no request was made."""
    return str(error).partition("Error performing ")[2]


def code_of(text: str) -> str | None:
    """S3's own error code, such as `NoSuchBucket`."""
    found = _CODE.search(text)
    return found.group(1) if found else None


def status_of(text: str) -> int | None:
    """The HTTP status; None when there was no answer at all."""
    found = _STATUS.search(text)
    return int(found.group(1)) if found else None


def region_in(text: str) -> str | None:
    """The region that an `AuthorizationHeaderMalformed` names."""
    found = _REGION.search(text)
    return found.group(1) if found else None
