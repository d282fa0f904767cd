"""Errors of recordings, speech models and engines, and of the jobs that process them."""

from __future__ import annotations

from batchscribe.errors.root import BatchscribeError

# --- media ---------------------------------------------------------------------------------------------------------


class MediaError(BatchscribeError):
    """The recording cannot be decoded. `remark` is the decoder's own remark, if the error came from the decoder."""

    def __init__(self, message: str, *, remark: object = None) -> None:
        super().__init__(message)
        self.remark = remark


class UnsupportedMedia(MediaError):
    """The bytes are not in an accepted format, or the codec is not supported."""

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


# --- speech models -------------------------------------------------------------------------------------------------


class ModelError(BatchscribeError):
    """A speech model could not be pulled or used."""


class ModelNotPulled(ModelError):
    """No source delivered the model."""

    code = "MODEL_NOT_PULLED"


class ModelDamaged(ModelError):
    """A file of the model is missing or has the wrong content."""

    code = "MODEL_DAMAGED"


class ModelNotStored(ModelError):
    """There is no space for the model, or no permission to write it."""

    code = "MODEL_NOT_STORED"


# --- engines -------------------------------------------------------------------------------------------------------


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


# --- diarization ---------------------------------------------------------------------------------------------------


class DiarizationError(BatchscribeError):
    """This recording could not be diarized."""


class DiarizerDied(DiarizationError):
    """The diarization process died on this recording."""

    code = "DIARIZATION_CRASHED"


class DiarizationTimeout(DiarizationError):
    """The diarization process hung: it used no CPU, or far more CPU than the audio can explain."""

    code = "DIARIZATION_TIMEOUT"


# --- jobs, files and internal errors -------------------------------------------------------------------------------


class JobError(BatchscribeError):
    """The whole job failed."""


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
    """A secret was sealed with a key that is not configured; `key_id` is its ID, if it matters."""

    code = "SECRET_KEY_CHANGED"

    def __init__(self, message: str, *, key_id: str = "") -> None:
        super().__init__(message)
        self.key_id = key_id


class FileCrashedWorker(BatchscribeError):
    """The worker died each time it worked on this file."""

    code = "FILE_CRASHED_WORKER"


class InternalError(BatchscribeError):
    """An internal error; the log has the details."""

    code = "INTERNAL_ERROR"


class WorkInterrupted(BatchscribeError):
    """The worker is stopping, or the job has ended; unfinished work stays unfinished.

    Never the outcome of a file or a job, so it has no code.
    """


class CredentialsAwaited(WorkInterrupted):
    """The job's credentials of this `version` have expired; its files wait for fresh ones."""

    def __init__(self, version: int) -> None:
        super().__init__("The job's storage credentials have expired; send fresh ones.")
        self.version = version


class ShardTaken(WorkInterrupted):
    """Another worker has taken over the same shard, because this one was presumed dead."""
