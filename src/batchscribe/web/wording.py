"""How the pages write states, times and amounts. The functions are filters of the templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from batchscribe.web.next_steps import next_step
from batchscribe.wire.answers import FileAnswer
from batchscribe.wire.choices import FileState, JobState
from batchscribe.wire.uris import FILE_SCHEME, scheme_of, without_query

STATE_WORDS: dict[str, str] = {
    JobState.QUEUED: "Queued",
    JobState.PROCESSING: "Processing",
    JobState.SUCCEEDED: "Succeeded",
    JobState.PARTIAL: "Partly failed",
    JobState.FAILED: "Failed",
    JobState.CANCELED: "Canceled",
    FileState.QUEUED: "Queued",
    FileState.PROCESSING: "Processing",
    FileState.SUCCEEDED: "Succeeded",
    FileState.FAILED: "Failed",
    FileState.CANCELED: "Canceled",
    FileState.SKIPPED: "Skipped",
}
#: The color of a state, which is a class of the style sheet.
STATE_TONES: dict[str, str] = {
    JobState.PROCESSING: "busy",
    JobState.SUCCEEDED: "good",
    JobState.PARTIAL: "warn",
    JobState.FAILED: "bad",
    FileState.PROCESSING: "busy",
    FileState.SUCCEEDED: "good",
    FileState.FAILED: "bad",
}
MINUTE_SEC, HOUR_SEC, DAY_SEC = 60, 3600, 86_400


def state_word(state: str) -> str:
    return STATE_WORDS.get(state, state)


def state_tone(state: str) -> str:
    return STATE_TONES.get(state, "idle")


def duration(seconds: float) -> str:
    """Return the two largest units: `2 h 05 min`, `3 min 20 s`, `12 s`. A short one is not shown as zero."""
    whole = round(seconds)
    if seconds > 0 and not whole:
        return "under 1 s"
    if whole >= DAY_SEC:
        return f"{whole // DAY_SEC} d {whole % DAY_SEC // HOUR_SEC} h"
    if whole >= HOUR_SEC:
        return f"{whole // HOUR_SEC} h {whole % HOUR_SEC // MINUTE_SEC:02} min"
    if whole >= MINUTE_SEC:
        return f"{whole // MINUTE_SEC} min {whole % MINUTE_SEC:02} s"
    return f"{whole} s"


def clock(seconds: float) -> str:
    """Return a position in a recording: `1:02:03` or `2:03`."""
    minutes, second = divmod(int(seconds), MINUTE_SEC)
    hour, minute = divmod(minutes, MINUTE_SEC)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def amount(number: float) -> str:
    """Return a count with separators: `1,000,000`."""
    return f"{number:,.0f}"


def size(n_bytes: float) -> str:
    """Return a size with a decimal unit: `1.2 GB`."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if n_bytes < 1000 or unit == "TB":
            break
        n_bytes /= 1000
    return f"{n_bytes:,.0f} {unit}" if unit == "B" or n_bytes >= 100 else f"{n_bytes:,.1f} {unit}"


def utc(moment: datetime | float) -> datetime:
    return datetime.fromtimestamp(moment, UTC) if isinstance(moment, int | float) else moment.astimezone(UTC)


def minute(moment: datetime | float) -> str:
    """Return a time for people without scripts; `site.js` shows it in the time zone of the browser."""
    return utc(moment).strftime("%Y-%m-%d %H:%M UTC")


def instant(moment: datetime | float) -> str:
    """Return a time for the attribute `datetime`."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def has_transcript(file: FileAnswer) -> bool:
    """Return whether a file has a transcript; that of a skipped file is from an earlier job."""
    return file.state in (FileState.SUCCEEDED, FileState.SKIPPED) and bool(file.output_uri)


def shown_uri(uri: str) -> str:
    """Return a URI to read: without its query, which may be a signature, and without the encoding of a path."""
    plain = without_query(uri)
    return unquote(plain, errors="replace").removeprefix("file://") if scheme_of(plain) == FILE_SCHEME else plain


def shown_name(uri: str) -> str:
    """Return the last part of a URI."""
    shown = shown_uri(uri)
    return shown.rstrip("/").rpartition("/")[2] or shown


FILTERS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        state_word, state_tone, duration, clock, amount, size, minute, instant, has_transcript,
        shown_uri, shown_name, next_step,
    )
}  # fmt: skip
