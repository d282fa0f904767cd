"""The result of one check of an installation, for `doctor`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class CheckResult(StrEnum):
    OK = "ok"
    WARNING = "warning"  #: it works, but maybe not for long or not as intended
    FAILED = "failed"  #: batchscribe cannot work
    SKIPPED = "skipped"  #: not checked, because another check failed


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. `finding` and `advice` are sentences; `advice` is empty if there is nothing to do."""

    name: str
    verdict: CheckResult
    finding: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def ok(name: str, finding: str) -> Check:
    return Check(name, CheckResult.OK, finding)


def warning(name: str, finding: str, advice: str) -> Check:
    return Check(name, CheckResult.WARNING, finding, advice)


def report_failure(name: str, finding: str, advice: str) -> Check:
    return Check(name, CheckResult.FAILED, finding, advice)


def report_skip(name: str, finding: str) -> Check:
    return Check(name, CheckResult.SKIPPED, finding)
