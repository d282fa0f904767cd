"""A webhook that has arrived, as `batchscribe webhooks listen` prints it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from batchscribe.wire.model import JsonObject

COUNTED = ("succeeded", "failed", "skipped", "canceled", "processing", "queued")


@dataclass(frozen=True, slots=True)
class Arrival:
    """`fault` says what is wrong with the signature; nothing is known of it unless it was checked."""

    event: JsonObject
    moment: float  #: Unix seconds
    checked: bool
    fault: str | None = None

    def line(self) -> str:
        """For a person. Whoever sent it may be anybody, so nothing in it moves the cursor."""
        job = self.event["job"]
        words = [
            f"{datetime.fromtimestamp(self.moment).astimezone():%H:%M:%S}",
            *(str(part) for part in (self.event["event_type"], job["job_id"], job.get("state", ""))),
            _counts(job.get("summary")),
            f"signature WRONG: {self.fault}" if self.fault else f"signature {self._signature}",
        ]
        return "  ".join(_printable(word) for word in words if word)

    def as_json(self) -> str:
        """For a program: one line."""
        arrival = {
            "received_at": datetime.fromtimestamp(self.moment, UTC).isoformat(timespec="seconds"),
            "signature": self._signature,
            "event": self.event,
        }
        return json.dumps(arrival | ({"fault": self.fault} if self.fault else {}))

    @property
    def _signature(self) -> str:
        if not self.checked:
            return "not checked"
        return "wrong" if self.fault else "ok"


def event_in(body: bytes) -> JsonObject | None:
    """The event that a body is; None when it is none."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and _is_event(event) else None


def _is_event(event: JsonObject) -> bool:
    job = event.get("job")
    return isinstance(event.get("event_type"), str) and isinstance(job, dict) and isinstance(job.get("job_id"), str)


def _counts(summary: object) -> str:
    """`39 succeeded, 1 failed`."""
    if not isinstance(summary, dict):
        return ""
    return ", ".join(f"{summary[name]} {name}" for name in COUNTED if summary.get(name)) or "no files"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
