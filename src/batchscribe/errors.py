"""Every error of batchscribe, in one tree.

    BatchscribeError
    ├── UsageError                  the caller asked for something that cannot be done as asked
    │   ├── InvalidRequest          a field of a job is wrong; `field` names it
    │   │   ├── UnsupportedLanguage
    │   │   └── OptionNotAvailable
    │   ├── InvalidSetting
    │   ├── EngineNotAvailable      the named engine or its model is not at hand
    │   ├── JobNotFound
    │   └── DataDirectoryBusy       another process works in this data directory
    ├── StorageError                one object or place could not be read or written
    │   ├── ObjectNotFound
    │   ├── BucketNotFound
    │   ├── AccessDenied
    │   ├── CredentialsExpired
    │   ├── WrongRegion
    │   ├── LocationNotAllowed      outside the allowed roots, or of a scheme nobody serves
    │   ├── ObjectChanged           replaced while it was being read
    │   ├── OutputExists
    │   └── StorageUnavailable      worth another try
    ├── MediaError                  the recording itself
    │   ├── UnsupportedMedia
    │   ├── EmptyRecording
    │   ├── CorruptMedia
    │   ├── NoAudioTrack
    │   ├── DecodeLimitExceeded
    │   ├── DecodeTimeout
    │   └── DecoderDied             the decoder's process died; worth one more try
    ├── EngineError
    │   ├── EngineDied              the engine's process died, also on the second try
    │   └── EngineTimeout
    ├── JobError                    ends a whole job
    │   ├── NoInputFiles
    │   ├── AllFilesFailed
    │   ├── TooManyFiles
    │   └── SecretKeyChanged        a sealed secret cannot be opened with the key at hand
    ├── FileGaveUp                  a file's last word after all its attempts
    │   └── FileCrashedWorker
    ├── InternalError               a mistake of ours; the log has the details
    └── WorkInterrupted             not a failure: the worker stops or the job has ended

Each class has a stable `code`, which users see on the wire, in tables and in logs. The message is one sentence
that says what happened and, where there is one, the next step.
"""

from __future__ import annotations

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


class InvalidRequest(UsageError):
    """A field of a job is missing, malformed or contradicts another; `field` is its dotted path on the wire."""

    code = "VALIDATION_FAILED"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class UnsupportedLanguage(InvalidRequest):
    """No engine at hand understands the language; the message lists the ones it does."""

    code = "UNSUPPORTED_LANGUAGE"


class OptionNotAvailable(InvalidRequest):
    """An option that this service does not honour yet; it is refused, never ignored."""

    code = "OPTION_NOT_AVAILABLE"


class InvalidSetting(UsageError):
    """A `BATCHSCRIBE_*` setting or its option has a value that cannot be used."""

    code = "INVALID_SETTING"


class EngineNotAvailable(UsageError):
    """The engine, or the model it needs, is not installed here."""

    code = "ENGINE_NOT_AVAILABLE"


class JobNotFound(UsageError):
    """There is no such job in this database."""

    code = "JOB_NOT_FOUND"


class DataDirectoryBusy(UsageError):
    """Another batchscribe process works in this data directory."""

    code = "DATA_DIRECTORY_BUSY"


# --- storage ---------------------------------------------------------------------------------------------------


class StorageError(BatchscribeError):
    """An object or a place in storage could not be used."""

    code = "STORAGE_ERROR"


class ObjectNotFound(StorageError):
    """There is no object under this URI."""

    code = "OBJECT_NOT_FOUND"


class BucketNotFound(StorageError):
    """There is no such bucket, or no such folder."""

    code = "BUCKET_NOT_FOUND"


class AccessDenied(StorageError):
    """The storage refused these credentials, or the file system this user."""

    code = "ACCESS_DENIED"


class CredentialsExpired(StorageError):
    """The session token is expired or invalid."""

    code = "INVALID_CREDENTIALS"


class WrongRegion(StorageError):
    """The bucket lives in another region than the request was signed for; `region` where the storage names it."""

    code = "WRONG_REGION"

    def __init__(self, message: str, *, region: str | None = None) -> None:
        super().__init__(message)
        self.region = region


class LocationNotAllowed(StorageError):
    """The URI is outside the allowed roots, or its scheme is not served here."""

    code = "LOCATION_NOT_ALLOWED"


class ObjectChanged(StorageError):
    """The object was replaced while it was being read."""

    code = "INPUT_CHANGED"


class OutputExists(StorageError):
    """Something is already stored under the output's URI and overwrite is off."""

    code = "OUTPUT_EXISTS"


class StorageUnavailable(StorageError):
    """The storage did not answer, or answered with a server error, after its own retries."""

    code = "STORAGE_UNAVAILABLE"


# --- media -----------------------------------------------------------------------------------------------------


class MediaError(BatchscribeError):
    """The recording cannot be turned into audio."""

    code = "MEDIA_ERROR"


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
    """The decoder made no progress for too long."""

    code = "DECODE_TIMEOUT"


class DecoderDied(MediaError):
    """The decoder's process died while it decoded this file."""

    code = "DECODER_CRASHED"


# --- engines ---------------------------------------------------------------------------------------------------


class EngineError(BatchscribeError):
    """The speech engine failed on this recording."""

    code = "ENGINE_ERROR"


class EngineDied(EngineError):
    """The engine's process died on the same segment twice."""

    code = "ENGINE_CRASHED"


class EngineTimeout(EngineError):
    """The engine took far longer than the segment can explain, twice."""

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
