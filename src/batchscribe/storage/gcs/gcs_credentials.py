"""Google Cloud credentials: from a request, from the variables of Google's tools, and as the database keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchscribe.errors import UsageError
from batchscribe.storage.access import Credentials
from batchscribe.storage.scheme import CredentialsForm

KEY_FILE, TOKEN = "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_ACCESS_TOKEN"
VARIABLES = {"client_email": KEY_FILE, "private_key": KEY_FILE, "private_key_id": KEY_FILE, "access_token": TOKEN}


@dataclass(frozen=True, slots=True)
class GcpCredentials(Credentials):
    """A service account's key, or an access token. Only the account's name is shown in a `repr`."""

    client_email: str | None = None
    private_key: str | None = field(default=None, repr=False)
    private_key_id: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)


def _read_environment(environment: Mapping[str, str]) -> GcpCredentials | None:
    """Return the access token or the content of the key file; None if neither is set."""
    if token := environment.get(TOKEN):
        return GcpCredentials(access_token=token)
    if not (name := environment.get(KEY_FILE)):
        return None
    key = _read_key_file(Path(name))
    fields = {field: key.get(field) for field in ("client_email", "private_key", "private_key_id")}
    is_key = all(isinstance(value, str) for value in fields.values() if value is not None)
    if not is_key or not fields["client_email"] or not fields["private_key"]:
        raise UsageError(f"{KEY_FILE} must name the key file of a service account; {name} is {key.get('type')!r}.")
    return GcpCredentials(**fields)


def _read_key_file(path: Path) -> Mapping[str, Any]:
    try:
        key = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{KEY_FILE} names {path}, which cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        raise UsageError(f"{KEY_FILE} names {path}, which is not JSON; name a service account's key file.") from None
    return key if isinstance(key, dict) else {}


FORM = CredentialsForm("gcp", GcpCredentials, VARIABLES, _read_environment)
