"""The states of jobs and files on the wire. `jobs.model` has the allowed transitions."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    QUEUED = "QUEUED"  #: accepted, not started yet
    PROCESSING = "PROCESSING"  #: its files are being listed or transcribed
    SUCCEEDED = "SUCCEEDED"  #: ended, and no file failed
    PARTIAL = "PARTIAL"  #: ended; some files succeeded, others failed
    FAILED = "FAILED"  #: ended without a transcript; its error says why
    CANCELED = "CANCELED"  #: canceled by a user; finished transcripts are kept


class FileState(StrEnum):
    QUEUED = "FILE_QUEUED"  #: waiting for a worker
    PROCESSING = "FILE_PROCESSING"  #: a worker is working on it; `attempt` is the number of the attempt
    SUCCEEDED = "FILE_SUCCEEDED"  #: its transcript is stored
    FAILED = "FILE_FAILED"  #: no transcript; its error says why
    CANCELED = "FILE_CANCELED"  #: its job was canceled before it was finished
    SKIPPED = "FILE_SKIPPED"  #: not a recording, or its transcript already exists


class WaitingFor(StrEnum):
    CREDENTIALS = "credentials"  #: the storage credentials have expired; PUT credentials sends fresh ones
