"""The body with fresh storage credentials for a job, in the form of `input.auth` and `output.auth` of a submission."""

from __future__ import annotations

from batchscribe.jobs.model import Job
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT
from batchscribe.storage.access import Credentials
from batchscribe.storage.schemes import read_credentials
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import Place
from batchscribe.wire.credentials import check_clouds, parse_credentials


def read_fresh_credentials(job: Job, body: JsonObject) -> dict[str, Credentials]:
    """Return the credentials by side, at least one. Raises `InvalidRequest`."""
    request = parse_credentials(body)
    check_clouds(request, source=Place(job.input["source"]), destination=job.output.destination)
    sides = {INPUT: request.input, OUTPUT: request.output}
    return {name: found for name, side in sides.items() if side and (found := read_credentials(side.auth))}


def read_optional_credentials(job: Job, body: JsonObject) -> dict[str, Credentials]:
    """Return the credentials by side, none if the body has neither side. Raises `InvalidRequest`."""
    has_any = any(body.get(side) is not None for side in (INPUT, OUTPUT))
    return read_fresh_credentials(job, body) if has_any else {}
