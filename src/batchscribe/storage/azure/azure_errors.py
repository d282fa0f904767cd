"""The mapping from errors of Azure Blob Storage to errors of batchscribe.

Sources: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and `common-rest-api-error-codes`
there. The code is in the header `x-ms-error-code`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from batchscribe.errors import (
    AccessKeyUnknown,
    BucketNotFound,
    CredentialsExpired,
    SecretKeyWrong,
    StorageError,
    StorageRedirected,
)
from batchscribe.storage.answer_checks import Answer
from batchscribe.storage.refusals import (
    ARCHIVED,
    BUCKET_NAME,
    BUSY,
    CHANGED,
    CLOCK,
    CLOSED,
    DENIED,
    ENCRYPTION,
    FAILING,
    FULL,
    NO_OBJECT,
    Refusal,
    by_code,
    meaning_of,
)

NO_CONTAINER = Refusal(BucketNotFound, "{uri} is in a container that does not exist; correct its name.")
EXPIRED = Refusal(CredentialsExpired, "The token for {uri} is expired or invalid ({reason}); send fresh credentials.")
UNKNOWN_ACCOUNT = Refusal(
    AccessKeyUnknown,
    "The storage refused access to {uri}: it does not know the storage account ({reason}); correct account_name.",
)
WRONG_KEY = Refusal(
    SecretKeyWrong,
    "The storage refused access to {uri}: the key or signature does not belong to the storage account ({reason}); "
    "correct it.",
)
LEASED = Refusal(StorageError, "{uri} is leased by another program ({reason}); end the lease, then run it again.")
BY_CODE = by_code(
    {
        NO_CONTAINER: ("ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"),
        BUCKET_NAME: ("InvalidResourceName",),
        NO_OBJECT: ("BlobNotFound", "ResourceNotFound"),
        ARCHIVED: ("BlobArchived", "BlobBeingRehydrated"),
        CHANGED: ("ConditionNotMet", "TargetConditionNotMet", "SourceConditionNotMet"),
        EXPIRED: ("InvalidAuthenticationInfo", "NoAuthenticationInformation"),
        UNKNOWN_ACCOUNT: ("AccountNotFound",),
        CLOSED: ("AccountIsDisabled",),
        DENIED: (
            "AuthenticationFailed",
            "AuthorizationFailure",
            "AuthorizationPermissionMismatch",
            "AuthorizationProtocolMismatch",
            "AuthorizationResourceTypeMismatch",
            "AuthorizationServiceMismatch",
            "AuthorizationSourceIPMismatch",
            "BlobImmutableDueToPolicy",
            "InsufficientAccountPermissions",
            "KeyBasedAuthenticationNotPermitted",
            "PublicAccessNotPermitted",
            "UnauthorizedBlobOverwrite",
        ),
        ENCRYPTION: ("BlobUsesCustomerSpecifiedEncryption", "CustomerKeyMismatch", "KeyVaultEncryptionKeyNotFound"),
        LEASED: ("LeaseIdMissing", "LeaseIdMismatchWithBlobOperation", "LeaseAlreadyPresent"),
        FULL: ("AccountLimitExceeded", "QuotaExceeded"),
        BUSY: ("ServerBusy", "IngressThrottled", "EgressThrottled"),
        FAILING: ("InternalError", "OperationTimedOut"),
    }
)
_CODE = re.compile(r"[\w.-]{1,64}")
_IN_BODY = re.compile(rb"<Code>\s*([\w.-]{1,64})\s*</Code>")
_DETAIL = re.compile(rb"<AuthenticationErrorDetail>(.{0,2000}?)</AuthenticationErrorDetail>", re.DOTALL)
_SIGNATURE = re.compile("signature|MAC", re.IGNORECASE)
_MOMENT = re.compile(r"(Expiry|Current) \[([^\]]{1,64})\]")


def refusal(answer: Answer, uri: str, *, has_expired: bool = False, is_anonymous: bool = False) -> StorageError:
    """Return the error for an unsuccessful answer.

    `has_expired`: the end date of the shared access signature has passed. `is_anonymous`: no credentials were sent.
    """
    status, code = answer.status, code_of(answer)
    if 300 <= status < 400:
        return StorageRedirected(
            f"The storage redirects {uri} ({status}), and redirects are not followed; set BATCHSCRIBE_AZURE_ENDPOINT "
            "to the target's address."
        )
    if is_anonymous and status == 401:
        meaning = DENIED
    else:
        meaning = EXPIRED if has_expired and status in (401, 403) else _meaning(answer, code)
    return meaning.error(uri, code or f"HTTP {status}")


def _meaning(answer: Answer, code: str | None) -> Refusal:
    if code == "AuthenticationFailed":
        return _authentication(answer.body)
    if code not in BY_CODE and answer.status == 412:
        return CHANGED
    return meaning_of(answer.status, code, BY_CODE)


def _authentication(body: bytes) -> Refusal:
    """Return the meaning of `AuthenticationFailed`, which only its detail explains. Its message is always the same."""
    found = _DETAIL.search(body)
    detail = found[1].decode("utf-8", "replace") if found else ""
    if "time frame" in detail:
        return EXPIRED if _ends_before_now(detail) else CLOCK
    if "date header" in detail:
        return CLOCK
    return WRONG_KEY if _SIGNATURE.search(detail) else DENIED


def _ends_before_now(detail: str) -> bool:
    """Return whether a signature has ended by the storage's clock: `Start [...] - Expiry [...] - Current [...]`."""
    moments = dict(_MOMENT.findall(detail))
    try:
        return parsedate_to_datetime(moments["Expiry"]) <= parsedate_to_datetime(moments["Current"])
    except (KeyError, ValueError):
        return False


def code_of(answer: Answer) -> str | None:
    """Return the error code, such as `BlobNotFound`."""
    return _in_header(answer.headers) or _in_body(answer.body)


def _in_header(headers: Mapping[str, str]) -> str | None:
    code = headers.get("x-ms-error-code", "")
    return code if _CODE.fullmatch(code) else None


def _in_body(body: bytes) -> str | None:
    found = _IN_BODY.search(body)
    return found[1].decode("ascii", "replace") if found else None
