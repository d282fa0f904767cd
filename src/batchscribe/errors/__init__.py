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
    │   ├── JobNotRetryable         the job has no failed files that can be retried now
    │   ├── FreshCredentialsNeeded  to retry a job whose credentials were deleted
    │   ├── DeliveryNotFound        the job has no such webhook event
    │   ├── WebhookAddressGone      the URL of the webhook is no longer stored
    │   ├── KeyNotFound             there is no such API key
    │   ├── VocabularyNotFound
    │   ├── SearchOff               the text of transcripts is not stored
    │   ├── TooManyVocabularies     the tenant has as many as the operator allows
    │   ├── IdempotencyKeyReused    the same key was sent with a different body
    │   ├── CredentialsNeeded       to play a recording or to read a transcript in the web interface
    │   ├── TranscriptNotFound
    │   ├── TranscriptUnreadable    the stored object is not a transcript, or too large
    │   ├── WaveformNotFound
    │   ├── NotARecording
    │   ├── AlreadyRunning          another process watches the same, or works on the same local job
    │   ├── DataDirectoryBusy       another process uses this data directory
    │   ├── SchemaMismatch          the database schema is older or newer than this release expects
    │   └── RequestRefused          an HTTP request was rejected before it reached a job
    │       ├── AccessTokenInvalid
    │       ├── CrossSiteRequest    a page of another web site sent it
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
    ├── JobInterrupted              no process works on the job that a command waits for
    ├── WebhookNotGenuine           a webhook request is not signed with the secret, or too old
    ├── DatabaseUnavailable
    ├── MachineTrouble              this machine cannot decode or recognize now; never the outcome of a file
    │   └── ModelElsewhere          only other workers may have the model of the job
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
    ├── DiarizationError            a recording could not be diarized
    │   ├── DiarizerDied            its process died; retried once
    │   └── DiarizationTimeout      its process hung
    ├── JobError                    ends a whole job
    │   ├── NoInputFiles
    │   ├── AllFilesFailed
    │   ├── TooManyFiles
    │   └── SecretKeyChanged        a secret was sealed with a different key
    ├── FileCrashedWorker           a file ended its worker on all its attempts
    ├── InternalError               an internal error; the log has the details
    └── WorkInterrupted             not a failure: the worker is stopping or the job has ended
        ├── CredentialsAwaited      files wait until the job gets fresh credentials
        └── ShardTaken              another worker has taken over the same shard

A class has a stable `code`, which users see in responses, tables and logs. Only classes that are never the outcome of
anything have none: `MediaError`, `ModelError`, `DiarizationError` and `JobError`, which are always one of their
subclasses, and `WorkInterrupted` and its subclasses. The message says in one sentence what happened and, if there is
one, the next step. docs/errors.md lists the codes.
"""

from batchscribe.errors.processing_errors import (
    AllFilesFailed,
    CorruptMedia,
    CredentialsAwaited,
    DecodeLimitExceeded,
    DecoderDied,
    DecodeTimeout,
    DiarizationError,
    DiarizationTimeout,
    DiarizerDied,
    EmptyRecording,
    EngineDied,
    EngineError,
    EngineTimeout,
    FileCrashedWorker,
    InternalError,
    JobError,
    MediaError,
    ModelDamaged,
    ModelError,
    ModelNotPulled,
    ModelNotStored,
    NoAudioTrack,
    NoInputFiles,
    SecretKeyChanged,
    ShardTaken,
    TooManyFiles,
    UnsupportedMedia,
    WorkInterrupted,
)
from batchscribe.errors.reader_errors import (
    CredentialsNeeded,
    NotARecording,
    TranscriptNotFound,
    TranscriptUnreadable,
    WaveformNotFound,
)
from batchscribe.errors.root import (
    BatchscribeError,
)
from batchscribe.errors.storage_errors import (
    AccessDenied,
    AccessKeyUnknown,
    BucketNameInvalid,
    BucketNotFound,
    CertificateNotTrusted,
    ClockSkewed,
    ConditionalWriteUnsupported,
    CredentialsExpired,
    EncryptionKeyUnusable,
    LocationNotAllowed,
    ObjectArchived,
    ObjectChanged,
    ObjectNotFound,
    OutputExists,
    OutputNameTooLong,
    SecretKeyWrong,
    StorageAnswerInvalid,
    StorageBusy,
    StorageError,
    StorageFull,
    StorageRedirected,
    StorageUnavailable,
    StorageUnreachable,
    WrongRegion,
)
from batchscribe.errors.usage_errors import (
    AccessTokenInvalid,
    AddressNotAllowed,
    AlreadyRunning,
    BodyTooLarge,
    ContentTypeNotAccepted,
    CrossSiteRequest,
    DatabaseUnavailable,
    DataDirectoryBusy,
    DeliveryNotFound,
    EngineNotAvailable,
    FreshCredentialsNeeded,
    HeadTooLarge,
    IdempotencyKeyReused,
    InvalidRequest,
    InvalidSetting,
    JobEnded,
    JobFileNotFound,
    JobInterrupted,
    JobNotCancelable,
    JobNotFound,
    JobNotRetryable,
    KeyNotFound,
    MachineTrouble,
    MalformedBody,
    MalformedRequest,
    MethodNotAllowed,
    Mistake,
    ModelElsewhere,
    ModelNotFound,
    OptionNotAvailable,
    RequestRefused,
    RequestTooSlow,
    RouteNotFound,
    SchemaMismatch,
    SearchOff,
    ServerBusy,
    ServerError,
    ServerRefused,
    ServerUnreachable,
    TooManyRequests,
    TooManyVocabularies,
    UnsupportedLanguage,
    UsageError,
    VocabularyNotFound,
    WebhookAddressGone,
    WebhookNotGenuine,
)

__all__ = [
    "AccessDenied",
    "AccessKeyUnknown",
    "AccessTokenInvalid",
    "AddressNotAllowed",
    "AllFilesFailed",
    "AlreadyRunning",
    "BatchscribeError",
    "BodyTooLarge",
    "BucketNameInvalid",
    "BucketNotFound",
    "CertificateNotTrusted",
    "ClockSkewed",
    "ConditionalWriteUnsupported",
    "ContentTypeNotAccepted",
    "CorruptMedia",
    "CredentialsAwaited",
    "CredentialsExpired",
    "CredentialsNeeded",
    "CrossSiteRequest",
    "DataDirectoryBusy",
    "DatabaseUnavailable",
    "DecodeLimitExceeded",
    "DecodeTimeout",
    "DecoderDied",
    "DeliveryNotFound",
    "DiarizationError",
    "DiarizationTimeout",
    "DiarizerDied",
    "EmptyRecording",
    "EncryptionKeyUnusable",
    "EngineDied",
    "EngineError",
    "EngineNotAvailable",
    "EngineTimeout",
    "FileCrashedWorker",
    "FreshCredentialsNeeded",
    "HeadTooLarge",
    "IdempotencyKeyReused",
    "InternalError",
    "InvalidRequest",
    "InvalidSetting",
    "JobEnded",
    "JobError",
    "JobFileNotFound",
    "JobInterrupted",
    "JobNotCancelable",
    "JobNotFound",
    "JobNotRetryable",
    "KeyNotFound",
    "LocationNotAllowed",
    "MachineTrouble",
    "MalformedBody",
    "MalformedRequest",
    "MediaError",
    "MethodNotAllowed",
    "Mistake",
    "ModelDamaged",
    "ModelElsewhere",
    "ModelError",
    "ModelNotFound",
    "ModelNotPulled",
    "ModelNotStored",
    "NoAudioTrack",
    "NoInputFiles",
    "NotARecording",
    "ObjectArchived",
    "ObjectChanged",
    "ObjectNotFound",
    "OptionNotAvailable",
    "OutputExists",
    "OutputNameTooLong",
    "RequestRefused",
    "RequestTooSlow",
    "RouteNotFound",
    "SchemaMismatch",
    "SearchOff",
    "SecretKeyChanged",
    "SecretKeyWrong",
    "ServerBusy",
    "ServerError",
    "ServerRefused",
    "ServerUnreachable",
    "ShardTaken",
    "StorageAnswerInvalid",
    "StorageBusy",
    "StorageError",
    "StorageFull",
    "StorageRedirected",
    "StorageUnavailable",
    "StorageUnreachable",
    "TooManyFiles",
    "TooManyRequests",
    "TooManyVocabularies",
    "TranscriptNotFound",
    "TranscriptUnreadable",
    "UnsupportedLanguage",
    "UnsupportedMedia",
    "UsageError",
    "VocabularyNotFound",
    "WaveformNotFound",
    "WebhookAddressGone",
    "WebhookNotGenuine",
    "WorkInterrupted",
    "WrongRegion",
]
