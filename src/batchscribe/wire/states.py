"""The states of jobs and files, as clients read them. The moves between them are in `jobs.model`."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    QUEUED = "QUEUED"  #: accepted, nothing has been looked at yet
    PROCESSING = "PROCESSING"  #: its files are being found or transcribed
    SUCCEEDED = "SUCCEEDED"  #: ended, and no file failed
    PARTIAL = "PARTIAL"  #: ended; some files succeeded, others failed
    FAILED = "FAILED"  #: ended without one transcript; its error says why
    CANCELED = "CANCELED"  #: ended because somebody asked for it; finished transcripts are kept


class FileState(StrEnum):
    QUEUED = "FILE_QUEUED"  #: waiting for a worker
    PROCESSING = "FILE_PROCESSING"  #: a worker holds it; `attempt` says which try
    SUCCEEDED = "FILE_SUCCEEDED"  #: its transcript is stored
    FAILED = "FILE_FAILED"  #: no transcript; its error says why
    CANCELED = "FILE_CANCELED"  #: its job was canceled first
    SKIPPED = "FILE_SKIPPED"  #: left alone on purpose: not a recording, or its transcript exists


class WaitingFor(StrEnum):
    CREDENTIALS = "credentials"  #: those for storage have expired: PUT credentials brings fresh ones
