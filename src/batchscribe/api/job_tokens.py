"""The tokens of the pages of jobs.

A token has the number of the last job. It is sealed, because the numbers of all tenants' jobs are one sequence. With
the ID of that job instead, a token would be of no use once the job is deleted.
"""

from __future__ import annotations

import base64
import binascii

from batchscribe.api.body import bad_token, find_in_token, last_of, token_after
from batchscribe.database.connect import Connection
from batchscribe.database.job_rows import get_job_of
from batchscribe.database.sealed import Keyring
from batchscribe.errors import JobNotFound, SecretKeyChanged

KEY, AT = "key", "at"  #: in tokens


def token_of_number(number: int, keyring: Keyring, tenant: str) -> str:
    key_id, sealed = keyring.seal_alike(str(number).encode(), bound_to=_name(tenant))
    return token_after(**{KEY: key_id, AT: base64.urlsafe_b64encode(sealed).decode()})


def number_in(token: str, connection: Connection, keyring: Keyring, tenant: str) -> int:
    """Return the number of the last job of a page. Raises `InvalidRequest`."""
    sealed = find_in_token(token, AT)
    if sealed is None:
        return _number_of_job(last_of(token, "job_id"), connection, tenant)
    try:
        return int(keyring.open(last_of(token, KEY), base64.urlsafe_b64decode(sealed), bound_to=_name(tenant)))
    except (binascii.Error, ValueError, SecretKeyChanged):
        raise bad_token() from None


def _number_of_job(job_id: str, connection: Connection, tenant: str) -> int:
    """Read a token of an earlier release."""
    try:
        return get_job_of(connection, tenant, job_id).number
    except JobNotFound:
        raise bad_token() from None


def _name(tenant: str) -> str:
    return f"page of jobs {tenant}"
