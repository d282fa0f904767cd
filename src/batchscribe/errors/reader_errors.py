"""Errors of reading a transcript and playing its recording in the web interface."""

from __future__ import annotations

from batchscribe.errors.usage_errors import UsageError


class CredentialsNeeded(UsageError):
    """The storage denies access, because the job's credentials were deleted at its end, have expired or are wrong."""

    code = "CREDENTIALS_NEEDED"

    def __init__(self, message: str, *, side: str, uri: str) -> None:
        """`side` of the job is the input or the output; `uri` is that of the object, without a signature."""
        super().__init__(message)
        self.side = side
        self.uri = uri


class TranscriptNotFound(UsageError):
    """The file has no transcript that can be shown."""

    code = "TRANSCRIPT_NOT_FOUND"


class TranscriptUnreadable(UsageError):
    """The stored object is not a transcript of batchscribe, or is too large to show."""

    code = "TRANSCRIPT_UNREADABLE"


class WaveformNotFound(UsageError):
    """There is no waveform of this recording."""

    code = "WAVEFORM_NOT_FOUND"


class NotARecording(UsageError):
    """The bytes of the file are not a recording, so they are not played."""

    code = "NOT_A_RECORDING"
