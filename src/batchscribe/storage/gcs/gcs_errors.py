"""The mapping from errors of Google Cloud Storage to errors of batchscribe.

Source: https://cloud.google.com/storage/docs/json_api/v1/status-codes. The code is `errors[0].reason` of the body.
Downloads are refused in plain text, so there the status decides.
"""

from __future__ import annotations

import json
import re

from batchscribe.errors import AccessKeyUnknown, CredentialsExpired, SecretKeyWrong, StorageError, StorageRedirected
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
    NO_BUCKET,
    NO_OBJECT,
    Refusal,
    by_code,
    meaning_of,
)
from batchscribe.storage.retrying_client import PASSING

EXPIRED = Refusal(
    CredentialsExpired, "The access token for {uri} is expired or invalid ({reason}); send fresh credentials."
)
UNKNOWN_ACCOUNT = Refusal(
    AccessKeyUnknown,
    "The storage refused access to {uri}: it does not know the service account ({reason}); correct client_email.",
)
WRONG_KEY = Refusal(
    SecretKeyWrong,
    "The storage refused access to {uri}: the private key does not belong to the service account ({reason}); "
    "correct it.",
)
BY_CODE = by_code(
    {
        NO_OBJECT: ("notFound",),
        BUCKET_NAME: ("invalidBucketName",),
        ARCHIVED: ("objectArchived",),
        EXPIRED: ("authError", "expired", "invalidCredentials"),
        CLOSED: ("accountDisabled", "userProjectAccountProblem", "countryBlocked"),
        DENIED: (
            "forbidden",
            "insufficientPermissions",
            "required",
            "retentionPolicyNotMet",
            "objectUnderActiveHold",
            "userProjectMissing",
            "vpcServiceControls",
        ),
        ENCRYPTION: (
            "resourceIsEncryptedWithCustomerEncryptionKey",
            "customerEncryptionKeyIsIncorrect",
            "kmsKeyNotFound",
            "cloudKmsDisabledKey",
            "cloudKmsPermissionDenied",
        ),
        CHANGED: ("conditionNotMet",),
        BUSY: (
            "rateLimitExceeded",
            "userRateLimitExceeded",
            "usageLimits",
            "slowDown",
            "quotaExceeded",
            "dailyLimitExceeded",
        ),
        FAILING: ("backendError", "internalError", "uploadBrokenConnection"),
    }
)
BY_DESCRIPTION = (
    (re.compile("account not found|account is disabled", re.IGNORECASE), UNKNOWN_ACCOUNT),
    (re.compile("iat and exp", re.IGNORECASE), CLOCK),
    (re.compile("signature", re.IGNORECASE), WRONG_KEY),
)
_CODE = re.compile(r"[\w.-]{1,64}")
_NO_BUCKET = b"bucket does not exist"


def refusal(answer: Answer, uri: str, *, is_for_bucket: bool = False, is_anonymous: bool = False) -> StorageError:
    """Return the error for an unsuccessful answer.

    If `is_for_bucket`, nothing but the bucket can be missing. If `is_anonymous`, no token was sent.
    """
    status, code = answer.status, code_of(answer)
    reason = code or f"HTTP {status}"
    if 300 <= status < 400:
        return StorageRedirected(
            f"The storage redirects {uri} ({status}), and redirects are not followed; set BATCHSCRIBE_GCS_ENDPOINT to "
            "the target's address."
        )
    if status == 404 and (is_for_bucket or _NO_BUCKET in answer.body):
        return NO_BUCKET.error(uri, reason)
    if status == 401 and is_anonymous:
        return DENIED.error(uri, reason)
    if status in (401, 412) and code not in BY_CODE:
        return (EXPIRED if status == 401 else CHANGED).error(uri, reason)
    return meaning_of(status, code, BY_CODE).error(uri, reason)


def may_pass(answer: Answer) -> bool:
    """Return whether a retry may help."""
    return answer.status in PASSING or BY_CODE.get(code_of(answer) or "") in (BUSY, FAILING)


def token_refusal(answer: Answer, uri: str) -> StorageError:
    """Return the error for a service account that got no access token.

    Source: https://developers.google.com/identity/protocols/oauth2/service-account#error-codes.
    """
    data = _parse(answer)
    code = _text(data.get("error"))
    reason = code or f"HTTP {answer.status}"
    if answer.status >= 500 or answer.status == 429:
        return meaning_of(answer.status, None, {}).error(uri, reason)
    description = str(data.get("error_description", ""))[:500]
    meaning = next((meaning for words, meaning in BY_DESCRIPTION if words.search(description)), DENIED)
    return meaning.error(uri, reason)


def code_of(answer: Answer) -> str | None:
    """Return the reason in an error, such as `notFound`."""
    error = _parse(answer).get("error")
    errors = error.get("errors") if isinstance(error, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return _text(first.get("reason")) if isinstance(first, dict) else None


def _parse(answer: Answer) -> dict[str, object]:
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _text(value: object) -> str | None:
    """Return a code that may be shown."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None
