"""Credentials in the environment for the clouds of a job."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from batchscribe.jobs.model import Job
from batchscribe.stages.sealed_credentials import INPUT, OUTPUT
from batchscribe.storage.access import Credentials
from batchscribe.storage.schemes import read_environment, write_auth
from batchscribe.wire.base import JsonObject

#: What to do if a retry needs credentials, in the words of the command line.
SET_CREDENTIALS = (
    "set the variables of the storage, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and repeat the command."
)


def read_fresh_credentials(job: Job, environment: Mapping[str, str]) -> dict[str, Credentials]:
    """Return the credentials in the environment for each side of the job. Raises `UsageError`."""
    inputs = [source.uri for source in job.sources]
    uris = {INPUT: inputs, OUTPUT: [job.output.uri] if job.output.uri else inputs}
    found = {
        side: next(filter(None, (read_environment(uri, environment) for uri in named)), None)
        for side, named in uris.items()
    }
    return {side: credentials for side, credentials in found.items() if credentials and not credentials.is_anonymous}


def read_auth(uris: Iterable[str]) -> JsonObject | None:
    """Return the credentials in the environment for the cloud of the URIs, or None if they are in no cloud."""
    found = next(filter(None, (read_environment(uri, os.environ) for uri in uris)), None)
    return None if found is None else write_auth(found)
