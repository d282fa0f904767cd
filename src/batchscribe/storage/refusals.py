"""The meanings of storage errors, which the tables of the clouds share.

Messages include the code and no other text from the storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    StorageUnavailable,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The class of an error, and its message with the placeholders `{uri}` and `{reason}`."""

    kind: type[StorageError]
    sentence: str

    def error(self, uri: str, reason: str) -> StorageError:
        return self.kind(self.sentence.format(uri=uri, reason=reason))


NO_BUCKET = Refusal(BucketNotFound, "{uri} is in a bucket that does not exist; correct its name.")
BUCKET_NAME = Refusal(BucketNameInvalid, "The storage does not accept the bucket name of {uri} ({reason}); correct it.")
NO_OBJECT = Refusal(ObjectNotFound, "There is no object {uri}; correct its name, or check whether it was deleted.")
ARCHIVED = Refusal(ObjectArchived, "{uri} is in an archive tier ({reason}); restore it, then run it again.")
CHANGED = Refusal(ObjectChanged, "{uri} was replaced while it was being read; run it again.")
EXPIRED = Refusal(
    CredentialsExpired, "The session token for {uri} is expired or invalid ({reason}); send fresh credentials."
)
UNKNOWN_KEY = Refusal(
    AccessKeyUnknown,
    "The storage refused access to {uri}: it does not know the access key ({reason}); correct the access key id.",
)
WRONG_SECRET = Refusal(
    SecretKeyWrong,
    "The storage refused access to {uri}: the secret key does not belong to the access key ({reason}); correct it.",
)
CLOCK = Refusal(
    ClockSkewed, "The storage refused access to {uri}: this machine's clock is off ({reason}); set it by NTP."
)
CLOSED = Refusal(
    AccessDenied,
    "The storage refused access to {uri}: the account is closed or unpaid ({reason}); ask its owner.",
)
DENIED = Refusal(AccessDenied, "The storage refused access to {uri} ({reason}); check the key and its permissions.")
ENCRYPTION = Refusal(
    EncryptionKeyUnusable,
    "{uri} is encrypted with a key that cannot be used ({reason}); check the key and who may use it.",
)
FULL = Refusal(StorageFull, "The storage has no space for {uri} ({reason}); free some space, or raise the quota.")
BUSY = Refusal(
    StorageBusy,
    "The storage still asks for fewer requests after all retries of {uri} ({reason}); use fewer workers.",
)
FAILING = Refusal(
    StorageUnavailable, "The storage still failed after all retries of {uri} ({reason}); try again when it works again."
)
UNKNOWN = Refusal(StorageError, "The storage refused {uri} ({reason}); its documentation says what that means.")

BY_STATUS = {401: DENIED, 403: DENIED, 404: NO_OBJECT, 408: FAILING, 410: NO_OBJECT, 429: BUSY, 507: FULL}


def by_code(rows: Mapping[Refusal, tuple[str, ...]]) -> dict[str, Refusal]:
    """Return the refusal of each code."""
    return {code: refusal for refusal, codes in rows.items() for code in codes}


def meaning_of(status: int, code: str | None, codes: Mapping[str, Refusal]) -> Refusal:
    """Return the meaning of an unsuccessful answer. The status is used only if the code is missing or unknown."""
    if code is not None and code in codes:
        return codes[code]
    if status in BY_STATUS:
        return BY_STATUS[status]
    return FAILING if status >= 500 else UNKNOWN
