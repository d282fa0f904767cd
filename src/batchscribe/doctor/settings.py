"""Settings that are right one by one and wrong together."""

from __future__ import annotations

import os
from collections.abc import Iterator

from batchscribe.doctor.check import Check, Verdict, ok
from batchscribe.settings import Settings

NAME = "settings"


def check_settings(settings: Settings) -> Iterator[Check]:
    """One check for each contradiction, or one that there is none."""
    found = [*_impossible(settings), *_doubtful(settings)]
    yield from found or [ok(NAME, "No settings contradict each other.")]


def _impossible(settings: Settings) -> Iterator[Check]:
    if settings.silent_sec < 2 * settings.heartbeat_sec:
        yield Check(
            NAME,
            Verdict.FAILED,
            f"A worker counts as dead after {settings.silent_sec:g} s and gives a sign of life only every "
            f"{settings.heartbeat_sec:g} s.",
            "Make BATCHSCRIBE_SILENT_SEC at least twice BATCHSCRIBE_HEARTBEAT_SEC, three times to be safe.",
        )


def _doubtful(settings: Settings) -> Iterator[Check]:
    if settings.s3_endpoint is None and (settings.s3_path_style or settings.s3_allow_http):
        yield _doubt(
            "BATCHSCRIBE_S3_PATH_STYLE and BATCHSCRIBE_S3_ALLOW_HTTP are about an endpoint, and none is set.",
            "Set BATCHSCRIBE_S3_ENDPOINT, or leave these away for AWS.",
        )
    if settings.webhook_give_up_sec < settings.webhook_first_retry_sec:
        yield _doubt(
            "A webhook is given up before it is sent a second time.",
            "Make BATCHSCRIBE_WEBHOOK_GIVE_UP_SEC larger than BATCHSCRIBE_WEBHOOK_FIRST_RETRY_SEC.",
        )
    if any(network.prefixlen == 0 for network in settings.metrics_allow_networks):
        yield _doubt(
            "The server tells everybody its metrics, the names of tenants among them.",
            "Name the networks of your monitoring in BATCHSCRIBE_METRICS_ALLOW_NETWORKS.",
        )
    cores = len(os.sched_getaffinity(0))
    if settings.workers > 2 * cores and settings.device != "cuda":
        yield _doubt(
            f"{settings.workers} engine processes share {cores} cores, and each needs its memory.",
            "Leave BATCHSCRIBE_WORKERS away, or make it the number of cores.",
        )


def _doubt(finding: str, advice: str) -> Check:
    return Check(NAME, Verdict.WARNING, finding, advice)
