"""The words a client chooses from: modes, layouts, places, formats."""

from __future__ import annotations

from enum import StrEnum


class InputMode(StrEnum):
    SINGLE = "SINGLE"  #: one recording
    PREFIX = "PREFIX"  #: every recording below a folder
    MANIFEST = "MANIFEST"  #: a list of recordings


class OutputLayout(StrEnum):
    SINGLE = "SINGLE"  #: the output's URI is the transcript's
    PREFIX = "PREFIX"  #: below the output's URI, in the folders of the input
    ADJACENT = "ADJACENT"  #: next to each recording


class Place(StrEnum):
    """Where objects are: an input's `source`, an output's `destination`."""

    S3 = "S3"  #: `s3://bucket/key`, the key as it is
    FILE = "FILE"  #: `file:///path`, percent-encoded
    HTTPS = "HTTPS"  #: `https://host/path`, signed in its query or not; inputs only


class SegmentationMode(StrEnum):
    AUTO = "auto"  #: voice activity decides what reaches the engine
    NONE = "none"  #: all of the audio reaches the engine


class DetectionMode(StrEnum):
    """How the language of a recording is detected."""

    ONCE = "once"  #: one language for the whole recording
    CONTINUOUS = "continuous"  #: it may change within the recording


class OutputFormat(StrEnum):
    JSON = "json"  #: the transcript document
