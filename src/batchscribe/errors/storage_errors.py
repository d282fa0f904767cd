"""Errors of storage: one object or place could not be read or written."""

from __future__ import annotations

from batchscribe.errors.root import BatchscribeError


class StorageError(BatchscribeError):
    """An object or a location in storage could not be used."""

    code = "STORAGE_ERROR"


class ObjectNotFound(StorageError):
    """There is no object under this URI."""

    code = "OBJECT_NOT_FOUND"


class ObjectArchived(StorageError):
    """The object is in an archive tier and must be restored before it can be read."""

    code = "OBJECT_ARCHIVED"


class BucketNotFound(StorageError):
    """There is no such bucket, or no such folder."""

    code = "BUCKET_NOT_FOUND"


class BucketNameInvalid(StorageError):
    """The storage does not accept this bucket name."""

    code = "INVALID_BUCKET_NAME"


class AccessDenied(StorageError):
    """The storage denied access with these credentials, or the file system denied access to this user."""

    code = "ACCESS_DENIED"


class AccessKeyUnknown(AccessDenied):
    """The storage does not know the access key."""

    code = "UNKNOWN_ACCESS_KEY"


class SecretKeyWrong(AccessDenied):
    """The signatures differ: the secret key does not belong to the access key."""

    code = "WRONG_SECRET_KEY"


class ClockSkewed(AccessDenied):
    """This machine's clock and the storage's differ too much for signed requests."""

    code = "CLOCK_SKEWED"


class EncryptionKeyUnusable(AccessDenied):
    """The key that encrypts the object is disabled or deleted, or these credentials may not use it."""

    code = "ENCRYPTION_KEY_UNUSABLE"


class CredentialsExpired(StorageError):
    """The session token has expired or is not valid for this storage."""

    code = "INVALID_CREDENTIALS"


class WrongRegion(StorageError):
    """The bucket is in another region than the request was signed for; `region` is set if the storage names it."""

    code = "WRONG_REGION"

    def __init__(self, message: str, *, region: str | None = None) -> None:
        super().__init__(message)
        self.region = region


class StorageRedirected(StorageError):
    """The storage redirected the request, and redirects are not followed."""

    code = "STORAGE_REDIRECTED"


class CertificateNotTrusted(StorageError):
    """The storage's TLS certificate is untrusted, expired, or issued for another name."""

    code = "CERTIFICATE_NOT_TRUSTED"


class StorageFull(StorageError):
    """The storage, the quota or the file system has no space left."""

    code = "STORAGE_FULL"


class ConditionalWriteUnsupported(StorageError):
    """The storage does not support conditional writes. This ends the job, because no transcript could be written."""

    code = "CONDITIONAL_WRITE_UNSUPPORTED"


class StorageAnswerInvalid(StorageError):
    """The storage gave an impossible answer: a wrong size or range, a malformed listing, or a web page."""

    code = "INVALID_STORAGE_ANSWER"


class LocationNotAllowed(StorageError):
    """The URI is outside the allowed roots, or its scheme is not supported."""

    code = "LOCATION_NOT_ALLOWED"


class ObjectChanged(StorageError):
    """The object was replaced, cut short or written to while it was being read."""

    code = "INPUT_CHANGED"


class OutputExists(StorageError):
    """An object already exists at the output URI, and overwrite is off."""

    code = "OUTPUT_EXISTS"


class OutputNameTooLong(StorageError):
    """The transcript's name would be longer than the storage allows."""

    code = "OUTPUT_NAME_TOO_LONG"


class StorageUnavailable(StorageError):
    """The storage still answered with a server error, or closed the connection, after all retries."""

    code = "STORAGE_UNAVAILABLE"


class StorageUnreachable(StorageUnavailable):
    """No connection to the storage could be opened, or it did not answer in time, after all retries."""

    code = "STORAGE_UNREACHABLE"


class StorageBusy(StorageUnavailable):
    """The storage still asked for fewer requests after all retries."""

    code = "STORAGE_BUSY"
