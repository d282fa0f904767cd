"""The words that options choose from. Light, so that `--help` comes at once."""

from __future__ import annotations

from enum import StrEnum


class Layout(StrEnum):
    """Where transcripts go."""

    ADJACENT = "adjacent"
    PREFIX = "prefix"
    SINGLE = "single"


class Segmentation(StrEnum):
    """What reaches the engine."""

    AUTO = "auto"
    NONE = "none"


class Detection(StrEnum):
    """Whether the language may change within a recording."""

    ONCE = "once"
    CONTINUOUS = "continuous"


#: The language that stands for detection.
AUTO_LANGUAGE = "auto"


class Format(StrEnum):
    """What a transcript is written as."""

    JSON = "json"
