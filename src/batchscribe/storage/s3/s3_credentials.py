"""Access keys for S3: from a request, from the variables of AWS tools, and as the database keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchscribe.errors import UsageError
from batchscribe.storage.access import Credentials
from batchscribe.storage.scheme import CredentialsForm

VARIABLES = {
    "access_key_id": "AWS_ACCESS_KEY_ID",
    "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "session_token": "AWS_SESSION_TOKEN",
}


@dataclass(frozen=True, slots=True)
class AwsCredentials(Credentials):
    """An access key, temporary if it has a session token. Only the region is shown in a `repr`."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str | None = None


def _read_environment(environment: Mapping[str, str]) -> AwsCredentials | None:
    """Return the key in the environment; None if no key is set, and requests are then unsigned."""
    found = {name: environment.get(variable) or None for name, variable in VARIABLES.items()}
    key, secret = found["access_key_id"], found["secret_access_key"]
    if key is None and secret is None:
        return None
    if key is None or secret is None:
        raise UsageError("Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.")
    return AwsCredentials(key, secret, found["session_token"])


FORM = CredentialsForm("aws", AwsCredentials, VARIABLES, _read_environment)
