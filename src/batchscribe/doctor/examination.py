"""All checks, in the order in which one would look."""

from __future__ import annotations

from collections.abc import Iterator

from batchscribe.doctor.check import Check
from batchscribe.doctor.confinement import check_confinement
from batchscribe.doctor.database import check_all_of_database
from batchscribe.doctor.disk import check_disks
from batchscribe.doctor.engine import check_engines
from batchscribe.doctor.settings import check_settings
from batchscribe.doctor.storage import Probe, check_storage
from batchscribe.settings import Settings


def examine(settings: Settings, *, probe: Probe | None = None, load: bool = False) -> Iterator[Check]:
    """Each check as it is done. `probe` is a bucket to try; `load` starts the engine."""
    yield from check_settings(settings)
    yield from check_all_of_database(settings)
    yield from check_storage(settings, probe)
    yield from check_engines(settings, load=load)
    yield from check_confinement(settings)
    yield from check_disks(settings)
