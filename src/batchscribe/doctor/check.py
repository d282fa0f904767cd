"""What one look found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from batchscribe.wire.model import JsonObject


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"  #: it works, and may not for long or not as meant
    FAILED = "failed"  #: batchscribe cannot work like this
    SKIPPED = "skipped"  #: could not be looked at, since something else failed


@dataclass(frozen=True, slots=True)
class Check:
    """`finding` is a sentence; so is `advice`, which is empty where there is nothing to do."""

    name: str
    verdict: Verdict
    finding: str
    advice: str = ""

    def as_json(self) -> JsonObject:
        return asdict(self)


def ok(name: str, finding: str) -> Check:
    return Check(name, Verdict.OK, finding)


def warning(name: str, finding: str, advice: str) -> Check:
    return Check(name, Verdict.WARNING, finding, advice)


def failed(name: str, finding: str, advice: str) -> Check:
    return Check(name, Verdict.FAILED, finding, advice)


def skipped(name: str, finding: str) -> Check:
    return Check(name, Verdict.SKIPPED, finding)
