"""Every error of batchscribe, in one tree.

    BatchscribeError
    ├── UsageError                  the caller asked for something that cannot be done as asked
    │   ├── InvalidRequest          a field of a job is wrong; `field` names it
    │   │   ├── UnsupportedLanguage
    │   │   └── OptionNotAvailable
    │   ├── InvalidSetting
    │   ├── EngineNotAvailable      the named engine or its model is not at hand
    │   ├── ModelNotFound           no speech model of this name is known, or at hand
    │   ├── JobNotFound
    │   ├── JobFileNotFound
    │   ├── JobNotCancelable        it has ended already
    │   ├── JobEnded                it needs no credentials any more
    │   ├── KeyNotFound             there is no such API key
    │   ├── IdempotencyKeyReused    the same key came with another body
    │   ├── DataDirectoryBusy       another process works in this data directory
    │   ├── SchemaMismatch          the database has an older or newer schema than this release
    │   └── RequestRefused          a request over HTTP was turned away before it reached a job
    │       ├── AccessTokenInvalid
    │       ├── MalformedRequest    not HTTP/1.1
    │       ├── HeadTooLarge
    │       ├── RequestTooSlow      it did not come in time
    │       ├── MalformedBody       not a JSON object
    │       ├── BodyTooLarge
    │       ├── ContentTypeNotAccepted
    │       ├── RouteNotFound
    │       ├── MethodNotAllowed
    │       ├── ServerBusy          it has as many connections as it can have
    │       └── TooManyRequests     `retry_after_sec` says when to come again
    ├── ServerError                 a server that the client talks to
    │   ├── ServerUnreachable
    │   └── ServerRefused           it answered with an error, which is passed on
    ├── DatabaseUnavailable
    ├── MachineTrouble              this machine cannot decode or recognize now; never the outcome of a file
    ├── AddressNotAllowed           an outbound request may not go there
    ├── StorageError                one object or place could not be read or written
    │   ├── ObjectNotFound
    │   ├── ObjectArchived          in an archive tier, and not restored
    │   ├── BucketNotFound
    │   ├── BucketNameInvalid
    │   ├── AccessDenied
    │   │   ├── AccessKeyUnknown
    │   │   ├── SecretKeyWrong
    │   │   ├── ClockSkewed         the request's signature is from another time than the storage's
    │   │   └── EncryptionKeyUnusable
    │   ├── CredentialsExpired
    │   ├── WrongRegion
    │   ├── StorageRedirected       to another place, where nobody follows
    │   ├── CertificateNotTrusted
    │   ├── StorageFull
    │   ├── ConditionalWriteUnsupported  the storage cannot write only where nothing is
    │   ├── StorageAnswerInvalid    what the storage answered makes no sense
    │   ├── LocationNotAllowed      outside the allowed roots, or of a scheme nobody serves
    │   ├── ObjectChanged           replaced while it was being read
    │   ├── OutputExists
    │   ├── OutputNameTooLong
    │   └── StorageUnavailable      worth another try
    │       ├── StorageUnreachable  no answer at all
    │       └── StorageBusy         it asks for fewer requests
    ├── MediaError                  the recording itself
    │   ├── UnsupportedMedia
    │   ├── EmptyRecording
    │   ├── CorruptMedia
    │   ├── NoAudioTrack
    │   ├── DecodeLimitExceeded
    │   ├── DecodeTimeout           the decoder hung
    │   └── DecoderDied             the decoder's process died; worth one more try
    ├── ModelError                  a speech model could not be pulled or used
    │   ├── ModelNotPulled          no source gave it
    │   ├── ModelDamaged            a file of it is missing or not the one it should be
    │   └── ModelNotStored          no room for it, or no permission to write
    ├── EngineError
    │   ├── EngineDied              the engine's process died, also on the second try
    │   └── EngineTimeout           it hung, also on the second try
    ├── JobError                    ends a whole job
    │   ├── NoInputFiles
    │   ├── AllFilesFailed
    │   ├── TooManyFiles
    │   └── SecretKeyChanged        a sealed secret cannot be opened with the key at hand
    ├── FileGaveUp                  a file's last word after all its attempts
    │   └── FileCrashedWorker
    ├── InternalError               a mistake of ours; the log has the details
    └── WorkInterrupted             not a failure: the worker stops or the job has ended
        ├── CredentialsAwaited      files wait until the job gets fresh credentials
        └── ShardTaken              another worker has begun the same shard since

Each class has a stable `code`, which users see on the wire, in tables and in logs. The message is one sentence
that says what happened and, where there is one, the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class BatchscribeError(Exception):
    """Base of all errors of ours. `code` is stable; `str(error)` is a sentence for the user."""

    code: ClassVar[str] = "ERROR"

    @property
    def message(self) -> str:
        return str(self)


# --- what the caller asked for ---------------------------------------------------------------------------------


class UsageError(BatchscribeError):
    """The request, command or setting cannot be carried out as written."""

    code = "USAGE_ERROR"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with a request: the dotted path of the field, empty for the request as a whole."""

    field: str
    message: str


class InvalidRequest(UsageError):
    """A field of a job is missing, malformed or contradicts another; `field` is its dotted path on the wire."""

    code = "VALIDATION_FAILED"

    def __init__(self, message: str, *, field: str = "", mistakes: tuple[Mistake, ...] = ()) -> None:
        """`mistakes` are all there are, the one of `message` first; by default it is the only one."""
        super().__init__(message)
        self.field = field
        self.mistakes = mistakes or (Mistake(field, message),)


class UnsupportedLanguage(InvalidRequest):
    """No engine at hand understands the language; the message lists the ones it does."""

    code = "UNSUPPORTED_LANGUAGE"


class OptionNotAvailable(InvalidRequest):
    """An option that does not exist here yet, or that no engine at hand can honour; it is refused, never ignored."""

    code = "OPTION_NOT_AVAILABLE"


class InvalidSetting(UsageError):
    """A `BATCHSCRIBE_*` setting or its option has a value that cannot be used."""

    code = "INVALID_SETTING"


class EngineNotAvailable(UsageError):
    """The engine, or the model it needs, is not installed here."""

    code = "ENGINE_NOT_AVAILABLE"


class ModelNotFound(UsageError):
    """No speech model of this name is known, or at hand."""

    code = "MODEL_NOT_FOUND"


class JobNotFound(UsageError):
    """There is no such job in this database."""

    code = "JOB_NOT_FOUND"


class JobFileNotFound(UsageError):
    """The job has no such file."""

    code = "FILE_NOT_FOUND"


class JobNotCancelable(UsageError):
    """The job has ended already."""

    code = "JOB_NOT_CANCELABLE"


class JobEnded(UsageError):
    """Fresh credentials came for a job that has ended."""

    code = "JOB_ENDED"


class KeyNotFound(UsageError):
    """There is no such API key in this database."""

    code = "KEY_NOT_FOUND"


class IdempotencyKeyReused(UsageError):
    """The same Idempotency-Key came with another body within 24 hours."""

    code = "IDEMPOTENCY_KEY_REUSED"


class DataDirectoryBusy(UsageError):
    """Another batchscribe process works in this data directory."""

    code = "DATA_DIRECTORY_BUSY"


class SchemaMismatch(UsageError):
    """The database's schema is older than this release needs, or newer than it knows."""

    code = "SCHEMA_MISMATCH"


# --- requests over HTTP ------------------------------------------------------------------------------------------


class RequestRefused(UsageError):
    """A request was turned away before it reached a job."""

    code = "REQUEST_REFUSED"


class AccessTokenInvalid(RequestRefused):
    """No key or token, or one that is wrong, expired or revoked."""

    code = "INVALID_ACCESS_TOKEN"


class MalformedRequest(RequestRefused):
    """What came over the connection is not a request in HTTP/1.1."""

    code = "MALFORMED_REQUEST"


class HeadTooLarge(RequestRefused):
    """The request line and the headers are longer than 64 KiB."""

    code = "HEAD_TOO_LARGE"


class RequestTooSlow(RequestRefused):
    """The head or the body of a request did not come in time, or the client went away."""

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
    """The server has as many connections as it can have, and none of them waits for its client."""

    code = "SERVER_BUSY"


class TooManyRequests(RequestRefused):
    """The tenant makes more requests than the operator allows; `retry_after_sec` says when to come again."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_sec: int) -> None:
        super().__init__(message)
        self.retry_after_sec = retry_after_sec


# --- servers that we are a client of -----------------------------------------------------------------------------


class ServerError(BatchscribeError):
    """A request of the client's did not succeed."""

    code = "SERVER_ERROR"


class ServerUnreachable(ServerError):
    """The server could not be reached or did not answer in time."""

    code = "SERVER_UNREACHABLE"


class ServerRefused(ServerError):
    """The server answered with an error: `status` is the HTTP status, `reason` its own code, `body` the whole of it."""

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

    It is never the outcome of a file: the file goes back, and the process takes no other until it has passed its trial.
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
    """An object or a place in storage could not be used."""

    code = "STORAGE_ERROR"


class ObjectNotFound(StorageError):
    """There is no object under this URI."""

    code = "OBJECT_NOT_FOUND"


class ObjectArchived(StorageError):
    """The object is in an archive tier and has to be restored before it can be read."""

    code = "OBJECT_ARCHIVED"


class BucketNotFound(StorageError):
    """There is no such bucket, or no such folder."""

    code = "BUCKET_NOT_FOUND"


class BucketNameInvalid(StorageError):
    """The storage takes no bucket of this name."""

    code = "INVALID_BUCKET_NAME"


class AccessDenied(StorageError):
    """The storage refused what these credentials asked for, or the file system this user."""

    code = "ACCESS_DENIED"


class AccessKeyUnknown(AccessDenied):
    """The storage does not know the access key."""

    code = "UNKNOWN_ACCESS_KEY"


class SecretKeyWrong(AccessDenied):
    """The storage computed another signature: the secret key does not belong to the access key."""

    code = "WRONG_SECRET_KEY"


class ClockSkewed(AccessDenied):
    """This machine's clock and the storage's are too far apart for signatures."""

    code = "CLOCK_SKEWED"


class EncryptionKeyUnusable(AccessDenied):
    """The key that encrypts the object is disabled, gone, or not for these credentials."""

    code = "ENCRYPTION_KEY_UNUSABLE"


class CredentialsExpired(StorageError):
    """The session token is expired or invalid."""

    code = "INVALID_CREDENTIALS"


class WrongRegion(StorageError):
    """The bucket lives in another region than the request was signed for; `region` where the storage names it."""

    code = "WRONG_REGION"

    def __init__(self, message: str, *, region: str | None = None) -> None:
        super().__init__(message)
        self.region = region


class StorageRedirected(StorageError):
    """The storage sent the request on to another place. No redirect is followed."""

    code = "STORAGE_REDIRECTED"


class CertificateNotTrusted(StorageError):
    """The TLS certificate of the storage is untrusted, expired, or made out to another name."""

    code = "CERTIFICATE_NOT_TRUSTED"


class StorageFull(StorageError):
    """The storage, the quota or the file system has no room left."""

    code = "STORAGE_FULL"


class ConditionalWriteUnsupported(StorageError):
    """The storage refuses to write on condition that nothing is there yet. Ends the job: no file could be written."""

    code = "CONDITIONAL_WRITE_UNSUPPORTED"


class StorageAnswerInvalid(StorageError):
    """The storage answered with something that makes no sense: a size, a range, a listing, or a web page."""

    code = "INVALID_STORAGE_ANSWER"


class LocationNotAllowed(StorageError):
    """The URI is outside the allowed roots, or its scheme is not served here."""

    code = "LOCATION_NOT_ALLOWED"


class ObjectChanged(StorageError):
    """The object was replaced, cut short or written to while it was being read."""

    code = "INPUT_CHANGED"


class OutputExists(StorageError):
    """Something is already stored under the output's URI and overwrite is off."""

    code = "OUTPUT_EXISTS"


class OutputNameTooLong(StorageError):
    """The transcript's name would be longer than the storage allows."""

    code = "OUTPUT_NAME_TOO_LONG"


class StorageUnavailable(StorageError):
    """The storage answered with a server error, or broke off, after all retries."""

    code = "STORAGE_UNAVAILABLE"


class StorageUnreachable(StorageUnavailable):
    """The storage could not be connected to, or gave no answer in time, after all retries."""

    code = "STORAGE_UNREACHABLE"


class StorageBusy(StorageUnavailable):
    """The storage asked for fewer requests, after all retries."""

    code = "STORAGE_BUSY"


# --- media -----------------------------------------------------------------------------------------------------


class MediaError(BatchscribeError):
    """The recording cannot be turned into audio. `remark` is what its decoder said, where the decoder found out."""

    code = "MEDIA_ERROR"

    def __init__(self, message: str, *, remark: object = None) -> None:
        super().__init__(message)
        self.remark = remark


class UnsupportedMedia(MediaError):
    """The bytes are not WAV, MP3, M4A or MP4, or use a codec that is not decoded here."""

    code = "UNSUPPORTED_MEDIA"


class EmptyRecording(MediaError):
    """The file has no bytes, or not one sample of audio."""

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
    """The decoder hung: it used no CPU, or a lot of it without progress. Slowness alone never counts."""

    code = "DECODE_TIMEOUT"


class DecoderDied(MediaError):
    """The decoder's process died while it decoded this file."""

    code = "DECODER_CRASHED"


# --- speech models ---------------------------------------------------------------------------------------------


class ModelError(BatchscribeError):
    """A speech model could not be pulled or used."""

    code = "MODEL_ERROR"


class ModelNotPulled(ModelError):
    """No source gave the model."""

    code = "MODEL_NOT_PULLED"


class ModelDamaged(ModelError):
    """A file of the model is missing, or is not the file that it should be."""

    code = "MODEL_DAMAGED"


class ModelNotStored(ModelError):
    """There is no room for the model, or no permission to write it."""

    code = "MODEL_NOT_STORED"


# --- engines ---------------------------------------------------------------------------------------------------


class EngineError(BatchscribeError):
    """The speech engine failed on this recording."""

    code = "ENGINE_ERROR"


class EngineDied(EngineError):
    """The engine's process died twice on the same window."""

    code = "ENGINE_CRASHED"


class EngineTimeout(EngineError):
    """The engine hung twice on the same window: it used no CPU, or far more than the audio can explain."""

    code = "ENGINE_TIMEOUT"


# --- whole jobs and last words ---------------------------------------------------------------------------------


class JobError(BatchscribeError):
    """Ends a whole job in FAILED."""

    code = "JOB_ERROR"


class NoInputFiles(JobError):
    """Nothing under the prefix passed the filters."""

    code = "NO_INPUT_FILES"


class AllFilesFailed(JobError):
    """Files failed and not one succeeded."""

    code = "ALL_FILES_FAILED"


class TooManyFiles(JobError):
    """More files than one job may have."""

    code = "TOO_MANY_FILES"


class SecretKeyChanged(JobError):
    """A secret was sealed with another key than the one at hand."""

    code = "SECRET_KEY_CHANGED"


class FileGaveUp(BatchscribeError):
    """A file failed in every one of its attempts."""

    code = "FILE_GAVE_UP"


class FileCrashedWorker(FileGaveUp):
    """The worker died each time it worked on this file."""

    code = "FILE_CRASHED_WORKER"


class InternalError(BatchscribeError):
    """Something in batchscribe itself went wrong; the log has the details."""

    code = "INTERNAL_ERROR"


class WorkInterrupted(BatchscribeError):
    """The worker was told to stop, or the job has ended; whatever is unfinished stays unfinished."""

    code = "INTERRUPTED"


class CredentialsAwaited(WorkInterrupted):
    """The job's credentials of this `version` have expired; its files wait for fresh ones."""

    code = "CREDENTIALS_AWAITED"

    def __init__(self, version: int) -> None:
        super().__init__("The job's credentials for storage have expired; send fresh ones.")
        self.version = version


class ShardTaken(WorkInterrupted):
    """Another worker has begun the same shard, because this one was taken for dead."""

    code = "SHARD_TAKEN"
