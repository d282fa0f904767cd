"""All checks of the doctor, in order."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.check import Check, report_failure
from batchscribe.doctor.database_check import check_all_of_database
from batchscribe.doctor.engine_check import check_confinement, check_decoder, check_engines
from batchscribe.doctor.settings_check import check_disks, check_settings, check_temporary
from batchscribe.doctor.speakers_check import check_speakers
from batchscribe.doctor.storage_check import Probe, check_storage
from batchscribe.errors import InvalidSetting
from batchscribe.settings import Settings


def examine(settings: Settings, *, probe: Probe | None = None, load: bool = False) -> Iterator[Check]:
    """Yield each check as soon as it is done. `probe` is a bucket to test; `load` starts the engine."""
    yield from check_settings(settings)
    yield from check_all_of_database(settings)
    yield from check_storage(settings, probe)
    yield check_decoder(settings)
    yield from check_engines(settings, load=load)
    yield check_speakers(settings, load=load)
    yield from check_confinement(settings)
    yield from check_disks(settings)


def examine_without(error: InvalidSetting) -> Iterator[Check]:
    """Yield the checks that do not need settings, for settings that are invalid."""
    yield report_failure(
        "settings", error.message, "Correct the setting and run the doctor again; most checks need valid settings."
    )
    yield check_decoder(None)
    yield check_temporary()
