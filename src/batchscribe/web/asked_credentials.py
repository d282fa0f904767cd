"""The storage credentials that the forms of a job ask for: those of the recordings, and those of the transcripts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from batchscribe.jobs.model import Job
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT, SIDES
from batchscribe.wire.choices import CLOUDS, Place

LEGENDS = {INPUT: "For the recordings", OUTPUT: "For the transcripts"}
SHARED = "Leave these empty to use the credentials of the recordings."


@dataclass(frozen=True, slots=True)
class AskedSide:
    """A group of fields. The names of the fields begin with `side`."""

    side: str
    cloud: Place
    title: str
    hint: str


def asked_sides(job: Job, names: Collection[str]) -> tuple[AskedSide, ...]:
    """Return the groups for these secrets of a job; those that are not credentials of a cloud have none."""
    places = {INPUT: Place(job.input["source"]), OUTPUT: job.output.destination}
    asked = [side for side in SIDES if side in names and places[side] in CLOUDS]
    is_shared = len(asked) > 1 and places[INPUT] is places[OUTPUT]
    return tuple(
        AskedSide(side, places[side], LEGENDS[side], SHARED if is_shared and side == OUTPUT else "") for side in asked
    )
