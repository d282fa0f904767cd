"""All errors that batchscribe raises, as one tree.

    BatchscribeError
    ├── UsageError                  the request, command or setting cannot be carried out as written
    │   ├── InvalidRequest          a field of a job is invalid; `field` names it
    │   │   ├── UnsupportedLanguage
    │   │   └── OptionNotAvailable
    │   ├── InvalidSetting
    │   ├── EngineNotAvailable      the engine or its model is not installed
    │   ├── ModelNotFound           no speech model with this name is known or installed
    │   ├── JobNotFound
    │   ├── JobFileNotFound
    │   ├── JobNotCancelable        the job has already ended
    │   ├── JobEnded                the job no longer needs credentials
    │   ├── KeyNotFound             there is no such API key
    │   ├── IdempotencyKeyReused    the same key was sent with a different body
    │   ├── DataDirectoryBusy       another process uses this data directory
    │   ├── SchemaMismatch          the database schema is older or newer than this release expects
    │   └── RequestRefused          an HTTP request was rejected before it reached a job
    │       ├── AccessTokenInvalid
    │       ├── MalformedRequest    not HTTP/1.1
    │       ├── HeadTooLarge
    │       ├── RequestTooSlow      it did not arrive in time
    │       ├── MalformedBody       not a JSON object
    │       ├── BodyTooLarge
    │       ├── ContentTypeNotAccepted
    │       ├── RouteNotFound
    │       ├── MethodNotAllowed
    │       ├── ServerBusy          the connection limit is reached
    │       └── TooManyRequests     `retry_after_sec` says when to retry
    ├── ServerError                 a request of the client failed
    │   ├── ServerUnreachable
    │   └── ServerRefused           the server answered with an error, which is passed on
    ├── DatabaseUnavailable
    ├── MachineTrouble              this machine cannot decode or recognize now; never the outcome of a file
    ├── AddressNotAllowed           an outbound request may not go to this address
    ├── StorageError                one object or place could not be read or written
    │   ├── ObjectNotFound
    │   ├── ObjectArchived          in an archive tier and not restored
    │   ├── BucketNotFound
    │   ├── BucketNameInvalid
    │   ├── AccessDenied
    │   │   ├── AccessKeyUnknown
    │   │   ├── SecretKeyWrong
    │   │   ├── ClockSkewed         this machine's clock and the storage's differ too much
    │   │   └── EncryptionKeyUnusable
    │   ├── CredentialsExpired
    │   ├── WrongRegion
    │   ├── StorageRedirected       redirects are not followed
    │   ├── CertificateNotTrusted
    │   ├── StorageFull
    │   ├── ConditionalWriteUnsupported  the storage does not support conditional writes
    │   ├── StorageAnswerInvalid    the storage gave an impossible answer
    │   ├── LocationNotAllowed      outside the allowed roots, or an unsupported scheme
    │   ├── ObjectChanged           replaced while it was being read
    │   ├── OutputExists
    │   ├── OutputNameTooLong
    │   └── StorageUnavailable      a retry may succeed
    │       ├── StorageUnreachable  no answer
    │       └── StorageBusy         the storage asks for fewer requests
    ├── MediaError                  the recording itself
    │   ├── UnsupportedMedia
    │   ├── EmptyRecording
    │   ├── CorruptMedia
    │   ├── NoAudioTrack
    │   ├── DecodeLimitExceeded
    │   ├── DecodeTimeout           the decoder hung
    │   └── DecoderDied             the decoder process died; retried once
    ├── ModelError                  a speech model could not be pulled or used
    │   ├── ModelNotPulled          no source delivered it
    │   ├── ModelDamaged            a file of it is missing or has the wrong content
    │   └── ModelNotStored          no space for it, or no permission to write
    ├── EngineError
    │   ├── EngineDied              the engine process died on both attempts
    │   └── EngineTimeout           the engine hung on both attempts
    ├── JobError                    ends a whole job
    │   ├── NoInputFiles
    │   ├── AllFilesFailed
    │   ├── TooManyFiles
    │   └── SecretKeyChanged        a secret was sealed with a different key
    ├── FileGaveUp                  a file failed on all its attempts
    │   └── FileCrashedWorker
    ├── InternalError               an internal error; the log has the details
    └── WorkInterrupted             not a failure: the worker is stopping or the job has ended
        ├── CredentialsAwaited      files wait until the job gets fresh credentials
        └── ShardTaken              another worker has taken over the same shard

Each class has a stable `code`, which users see on the wire, in tables and in logs. The message says in one sentence
what happened and, if there is one, the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class BatchscribeError(Exception):
    """Base of all batchscribe errors. `code` is stable; `str(error)` is a sentence for the user."""

    code: ClassVar[str] = "ERROR"

    @property
    def message(self) -> str:
        return str(self)


# --- usage -----------------------------------------------------------------------------------------------------


class UsageError(BatchscribeError):
    """The request, command or setting cannot be carried out as written."""

    code = "USAGE_ERROR"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One problem in a request. `field` is its dotted path, or empty for the request as a whole."""

    field: str
    message: str


class InvalidRequest(UsageError):
    """A field of a job is missing, malformed or contradicts another field; `field` is its dotted path on the wire."""

    code = "VALIDATION_FAILED"

    def __init__(self, message: str, *, field: str = "", mistakes: tuple[Mistake, ...] = ()) -> None:
        """`mistakes` lists all of them, starting with that of `message`; by default, there is only that one."""
        super().__init__(message)
        self.field = field
        self.mistakes = mistakes or (Mistake(field, message),)


class UnsupportedLanguage(InvalidRequest):
    """No installed engine understands the language; the message lists the supported languages."""

    code = "UNSUPPORTED_LANGUAGE"


class OptionNotAvailable(InvalidRequest):
    """The option is not supported yet, or no installed engine supports it. It is rejected, never ignored."""

    code = "OPTION_NOT_AVAILABLE"


class InvalidSetting(UsageError):
    """A `BATCHSCRIBE_*` setting, or its option, has an invalid value."""

    code = "INVALID_SETTING"


class EngineNotAvailable(UsageError):
    """The engine, or the model it needs, is not installed."""

    code = "ENGINE_NOT_AVAILABLE"


class ModelNotFound(UsageError):
    """No speech model with this name is known or installed."""

    code = "MODEL_NOT_FOUND"


class JobNotFound(UsageError):
    """There is no such job in this database."""

    code = "JOB_NOT_FOUND"


class JobFileNotFound(UsageError):
    """The job has no such file."""

    code = "FILE_NOT_FOUND"


class JobNotCancelable(UsageError):
    """The job has already ended."""

    code = "JOB_NOT_CANCELABLE"


class JobEnded(UsageError):
    """Fresh credentials were sent for a job that has ended."""

    code = "JOB_ENDED"


class KeyNotFound(UsageError):
    """There is no such API key in this database."""

    code = "KEY_NOT_FOUND"


class IdempotencyKeyReused(UsageError):
    """The same `Idempotency-Key` was sent with a different body within 24 hours."""

    code = "IDEMPOTENCY_KEY_REUSED"


class DataDirectoryBusy(UsageError):
    """Another batchscribe process uses this data directory."""

    code = "DATA_DIRECTORY_BUSY"


class SchemaMismatch(UsageError):
    """The database schema is older than this release needs, or newer than it supports."""

    code = "SCHEMA_MISMATCH"


# --- requests over HTTP ------------------------------------------------------------------------------------------


class RequestRefused(UsageError):
    """The request was rejected before it reached a job."""

    code = "REQUEST_REFUSED"


class AccessTokenInvalid(RequestRefused):
    """The key or token is missing, wrong, expired or revoked."""

    code = "INVALID_ACCESS_TOKEN"


class MalformedRequest(RequestRefused):
    """The data on the connection is not an HTTP/1.1 request."""

    code = "MALFORMED_REQUEST"


class HeadTooLarge(RequestRefused):
    """The request line and the headers are longer than 64 KiB."""

    code = "HEAD_TOO_LARGE"


class RequestTooSlow(RequestRefused):
    """The head or the body of a request did not arrive in time, or the client disconnected."""

    code = "REQUEST_TIMEOUT"


class MalformedBody(RequestRefused):
    """The body is not a JSON object."""

    code = "MALFORMED_BODY"


class BodyTooLarge(RequestRefused):
    """The body is larger than the operator allows."""

    code = "BODY_TOO_LARGE"


class ContentTypeNotAccepted(RequestRefused):
    """The body is not declared as application/json."""

    code = "UNSUPPORTED_CONTENT_TYPE"


class RouteNotFound(RequestRefused):
    """Nothing is served under this path."""

    code = "NOT_FOUND"


class MethodNotAllowed(RequestRefused):
    """The path is served, but not with this method."""

    code = "METHOD_NOT_ALLOWED"


class ServerBusy(RequestRefused):
    """The server has reached its connection limit, and every connection has a request under way."""

    code = "SERVER_BUSY"


class TooManyRequests(RequestRefused):
    """The tenant sends more requests than the operator allows; `retry_after_sec` says when to retry."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_sec: int) -> None:
        super().__init__(message)
        self.retry_after_sec = retry_after_sec


# --- servers and addresses ---------------------------------------------------------------------------------------


class ServerError(BatchscribeError):
    """A request of the client failed."""

    code = "SERVER_ERROR"


class ServerUnreachable(ServerError):
    """The server could not be reached or did not answer in time."""

    code = "SERVER_UNREACHABLE"


class ServerRefused(ServerError):
    """The server answered with an error: `status` is the HTTP status, `reason` its error code, `body` the full body."""

    code = "SERVER_REFUSED"

    def __init__(self, message: str, *, status: int, reason: str = "", body: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.body = body


class DatabaseUnavailable(BatchscribeError):
    """The database does not answer."""

    code = "DATABASE_UNAVAILABLE"


class MachineTrouble(BatchscribeError):
    """This machine cannot decode or recognize now: `part` is `decoder` or the name of an engine.

    This is never the outcome of a file. The file is requeued, and the process takes no other file until its trial
    succeeds.
    """

    code = "MACHINE_TROUBLE"

    def __init__(self, message: str, *, part: str) -> None:
        super().__init__(message)
        self.part = part


class AddressNotAllowed(BatchscribeError):
    """An outbound request may not go to this address."""

    code = "ADDRESS_NOT_ALLOWED"


# --- storage ---------------------------------------------------------------------------------------------------


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


# --- media -----------------------------------------------------------------------------------------------------


class MediaError(BatchscribeError):
    """The recording cannot be decoded. `remark` is the decoder's own remark, if the error came from the decoder."""

    code = "MEDIA_ERROR"

    def __init__(self, message: str, *, remark: object = None) -> None:
        super().__init__(message)
        self.remark = remark


class UnsupportedMedia(MediaError):
    """The bytes are not WAV, MP3, M4A or MP4, or the codec is not supported."""

    code = "UNSUPPORTED_MEDIA"


class EmptyRecording(MediaError):
    """The file is empty, or has no audio samples."""

    code = "EMPTY_RECORDING"


class CorruptMedia(MediaError):
    """The file starts like a recording but cannot be decoded."""

    code = "CORRUPT_MEDIA"


class NoAudioTrack(MediaError):
    """The file has no audio track."""

    code = "NO_AUDIO_TRACK"


class DecodeLimitExceeded(MediaError):
    """The recording is larger or longer than the operator allows."""

    code = "DECODE_LIMIT_EXCEEDED"


class DecodeTimeout(MediaError):
    """The decoder hung: it used no CPU, or a lot of CPU without progress. Slowness alone never counts."""

    code = "DECODE_TIMEOUT"


class DecoderDied(MediaError):
    """The decoder process died while it decoded this file."""

    code = "DECODER_CRASHED"


# --- speech models ---------------------------------------------------------------------------------------------


class ModelError(BatchscribeError):
    """A speech model could not be pulled or used."""

    code = "MODEL_ERROR"


class ModelNotPulled(ModelError):
    """No source delivered the model."""

    code = "MODEL_NOT_PULLED"


class ModelDamaged(ModelError):
    """A file of the model is missing or has the wrong content."""

    code = "MODEL_DAMAGED"


class ModelNotStored(ModelError):
    """There is no space for the model, or no permission to write it."""

    code = "MODEL_NOT_STORED"


# --- engines ---------------------------------------------------------------------------------------------------


class EngineError(BatchscribeError):
    """The speech engine failed on this recording. `reason` is in the engine's own words, for the operator only."""

    code = "ENGINE_ERROR"

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class EngineDied(EngineError):
    """The engine process died twice on the same window."""

    code = "ENGINE_CRASHED"


class EngineTimeout(EngineError):
    """The engine hung twice on the same window: it used no CPU, or far more CPU than the audio can explain."""

    code = "ENGINE_TIMEOUT"


# --- jobs, files and internal errors ---------------------------------------------------------------------------


class JobError(BatchscribeError):
    """The whole job failed."""

    code = "JOB_ERROR"


class NoInputFiles(JobError):
    """No file under the prefix matches the filters."""

    code = "NO_INPUT_FILES"


class AllFilesFailed(JobError):
    """Files failed, and none succeeded."""

    code = "ALL_FILES_FAILED"


class TooManyFiles(JobError):
    """The job has more files than one job may have."""

    code = "TOO_MANY_FILES"


class SecretKeyChanged(JobError):
    """A secret was sealed with a key other than the configured one."""

    code = "SECRET_KEY_CHANGED"


class FileGaveUp(BatchscribeError):
    """The file failed on every attempt."""

    code = "FILE_GAVE_UP"


class FileCrashedWorker(FileGaveUp):
    """The worker died each time it worked on this file."""

    code = "FILE_CRASHED_WORKER"


class InternalError(BatchscribeError):
    """An internal error; the log has the details."""

    code = "INTERNAL_ERROR"


class WorkInterrupted(BatchscribeError):
    """The worker is stopping, or the job has ended; unfinished work stays unfinished."""

    code = "INTERRUPTED"


class CredentialsAwaited(WorkInterrupted):
    """The job's credentials of this `version` have expired; its files wait for fresh ones."""

    code = "CREDENTIALS_AWAITED"

    def __init__(self, version: int) -> None:
        super().__init__("The job's storage credentials have expired; send fresh ones.")
        self.version = version


class ShardTaken(WorkInterrupted):
    """Another worker has taken over the same shard, because this one was presumed dead."""

    code = "SHARD_TAKEN"
