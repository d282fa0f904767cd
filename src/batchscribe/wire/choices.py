"""Enumerations of the wire: modes, layouts, sources and destinations, formats, states."""

from __future__ import annotations

from enum import StrEnum


class InputMode(StrEnum):
    SINGLE = "SINGLE"  #: one recording
    PREFIX = "PREFIX"  #: every recording below a folder
    MANIFEST = "MANIFEST"  #: a list of recordings


class OutputLayout(StrEnum):
    SINGLE = "SINGLE"  #: the output URI is the URI of the transcript
    PREFIX = "PREFIX"  #: below the output URI, in the folders of the input
    ADJACENT = "ADJACENT"  #: next to each recording


class Place(StrEnum):
    """The kind of storage: an input's `source`, an output's `destination`."""

    S3 = "S3"  #: `s3://bucket/key`; the key is not encoded
    GCS = "GCS"  #: `gs://bucket/key`; the key is not encoded
    AZURE = "AZURE"  #: `az://container/key`; the key is not encoded
    FILE = "FILE"  #: `file:///path`, percent-encoded
    HTTPS = "HTTPS"  #: `https://host/path`, with or without a signature in the query; inputs only


PLACE_OF_SCHEME = {"s3": Place.S3, "gs": Place.GCS, "az": Place.AZURE, "file": Place.FILE, "https": Place.HTTPS}
#: Places with buckets and keys, whose storage takes credentials. A key is not percent-encoded.
CLOUDS = frozenset({Place.S3, Place.GCS, Place.AZURE})


class SegmentationMode(StrEnum):
    AUTO = "auto"  #: voice activity detection selects the audio that is transcribed
    NONE = "none"  #: all audio is transcribed


class DetectionMode(StrEnum):
    """How the language of a recording is detected."""

    ONCE = "once"  #: one language for the whole recording
    CONTINUOUS = "continuous"  #: the language may change within the recording


class OutputFormat(StrEnum):
    """See `transcript/formats.py` for what belongs to each."""

    JSON = "json"  #: the transcript document
    SRT = "srt"  #: subtitles for players
    VTT = "vtt"  #: subtitles for web pages
    TXT = "txt"  #: text to read
    PEAKS = "peaks"  #: the waveform of the recording, only beside a transcript

    @property
    def extension(self) -> str:
        """Return the extension of its files, with the dot. The format of an `output.uri` is inferred from it."""
        return f".{self.value}"


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


class DeliveryState(StrEnum):
    """The state of a webhook event."""

    PENDING = "PENDING"  #: to be sent or retried
    DELIVERED = "DELIVERED"  #: the receiver accepted it
    REFUSED = "REFUSED"  #: the receiver rejected it
    GAVE_UP = "GAVE_UP"  #: the time limit for retries has passed


class WaitingFor(StrEnum):
    CREDENTIALS = "credentials"  #: the storage credentials have expired; PUT credentials sends fresh ones
