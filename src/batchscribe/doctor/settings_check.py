"""Checks of free disk space, and of settings that are valid but do not fit together."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from batchscribe.check import Check, CheckResult, ok, report_failure, warning
from batchscribe.cpu_cores import count_cores
from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings
from batchscribe.speech.devices import CUDA, kind_of
from batchscribe.transcript.profanity import load_filter
from batchscribe.unknown_settings import find_unknown_settings

MIB = 2**20
FULL_BYTES = 100 * MIB  #: with less, database commits may soon fail
LOW_BYTES = 1024 * MIB


def check_disks(settings: Settings) -> Iterator[Check]:
    yield check_disk("disk of the data directory", settings.data_dir, "BATCHSCRIBE_DATA_DIR")
    yield check_temporary()


def check_temporary() -> Check:
    """Check the folder for temporary files, which is used to pull models. Python writes a few bytes to find it."""
    name = "disk for temporary files"
    try:
        return check_disk(name, Path(tempfile.gettempdir()), "TMPDIR")
    except FileNotFoundError:
        advice = "Set TMPDIR to a folder with free space that this user can write to."
        return report_failure(name, "No folder for temporary files is writable.", advice)


def check_disk(name: str, folder: Path, variable: str) -> Check:
    """Check a folder; if it does not exist yet, its nearest existing parent."""
    existing = nearest(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        advice = f"Allow this user to write there, or set {variable} to another folder."
        return report_failure(name, f"{existing} is not writable.", advice)
    return judge_disk(name, existing, shutil.disk_usage(existing).free, variable)


def judge_disk(name: str, folder: Path, free_bytes: int, variable: str) -> Check:
    found = f"{free_bytes / MIB:,.0f} MiB are free in {folder}."
    advice = f"Free some space, or set {variable} to another folder."
    if free_bytes < FULL_BYTES:
        return report_failure(name, found, advice)
    return warning(name, found, advice) if free_bytes < LOW_BYTES else ok(name, found)


def nearest(folder: Path) -> Path:
    """Return the folder itself, or its nearest parent that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())


NAME = "settings"


def check_settings(settings: Settings) -> Iterator[Check]:
    """Yield one check per contradiction, or one that there are none."""
    found = [*_find_contradictions(settings), *_find_invalid_files(settings), *_doubtful(settings)]
    yield from found or [ok(NAME, "No settings contradict each other.")]


def _find_contradictions(settings: Settings) -> Iterator[Check]:
    if settings.silent_sec < 2 * settings.heartbeat_sec:
        yield Check(
            NAME,
            CheckResult.FAILED,
            f"A worker is declared dead after {settings.silent_sec:g} s without a heartbeat, but sends one only every "
            f"{settings.heartbeat_sec:g} s.",
            "Set BATCHSCRIBE_SILENT_SEC to at least twice BATCHSCRIBE_HEARTBEAT_SEC, preferably three times.",
        )


def _find_invalid_files(settings: Settings) -> Iterator[Check]:
    try:
        load_filter(settings.profanity_file)
    except InvalidSetting as error:
        yield report_failure(NAME, error.message, "Correct the file; docs/profanity.md shows its form.")


def _doubtful(settings: Settings) -> Iterator[Check]:
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
    for notice in find_unknown_settings():
        yield _doubt(notice, "Correct or remove the variable.")
    cores = count_cores()
    if settings.engine_processes > 2 * cores and kind_of(settings.device) != CUDA:
        yield _doubt(
            f"{settings.engine_processes} engine processes share {cores} cores, and each needs its own memory.",
            "Omit BATCHSCRIBE_ENGINE_PROCESSES, or set it to the number of cores.",
        )


def _doubt(finding: str, advice: str) -> Check:
    return Check(NAME, CheckResult.WARNING, finding, advice)
