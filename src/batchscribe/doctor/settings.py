"""Checks for settings that contradict each other."""

from __future__ import annotations

import os
from collections.abc import Iterator

from batchscribe.doctor.check import Check, Verdict, ok
from batchscribe.settings import Settings

NAME = "settings"


def check_settings(settings: Settings) -> Iterator[Check]:
    """Yield one check per contradiction, or one that there are none."""
    found = [*_impossible(settings), *_doubtful(settings)]
    yield from found or [ok(NAME, "No settings contradict each other.")]


def _impossible(settings: Settings) -> Iterator[Check]:
    if settings.silent_sec < 2 * settings.heartbeat_sec:
        yield Check(
            NAME,
            Verdict.FAILED,
            f"A worker is declared dead after {settings.silent_sec:g} s without a heartbeat, but sends one only every "
            f"{settings.heartbeat_sec:g} s.",
            "Set BATCHSCRIBE_SILENT_SEC to at least twice BATCHSCRIBE_HEARTBEAT_SEC, preferably three times.",
        )


def _doubtful(settings: Settings) -> Iterator[Check]:
    if settings.s3_endpoint is None and (settings.s3_path_style or settings.s3_allow_http):
        yield _doubt(
            "BATCHSCRIBE_S3_PATH_STYLE and BATCHSCRIBE_S3_ALLOW_HTTP apply to an endpoint, but none is set.",
            "Set BATCHSCRIBE_S3_ENDPOINT, or omit them for AWS.",
        )
    if settings.webhook_give_up_sec < settings.webhook_first_retry_sec:
        yield _doubt(
            "The time limit of webhooks ends before their first retry.",
            "Set BATCHSCRIBE_WEBHOOK_GIVE_UP_SEC higher than BATCHSCRIBE_WEBHOOK_FIRST_RETRY_SEC.",
        )
    if any(network.prefixlen == 0 for network in settings.metrics_allow_networks):
        yield _doubt(
            "The server exposes its metrics, which include tenant names, to all networks.",
            "Set BATCHSCRIBE_METRICS_ALLOW_NETWORKS to the networks of your monitoring.",
        )
    cores = len(os.sched_getaffinity(0))
    if settings.workers > 2 * cores and settings.device != "cuda":
        yield _doubt(
            f"{settings.workers} engine processes share {cores} cores, and each needs its own memory.",
            "Omit BATCHSCRIBE_WORKERS, or set it to the number of cores.",
        )


def _doubt(finding: str, advice: str) -> Check:
    return Check(NAME, Verdict.WARNING, finding, advice)
