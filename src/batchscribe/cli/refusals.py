"""What a server refused, as one sentence with the next step for the person at the keyboard."""

from __future__ import annotations

from batchscribe.cli.places import printable
from batchscribe.errors import (
    BatchscribeError,
    JobNotCancelable,
    JobNotFound,
    ServerRefused,
    UsageError,
)

UNAUTHORIZED, NOT_FOUND, TOO_MANY_REQUESTS = 401, 404, 429


def explanation(error: ServerRefused, server: str, job_id: str, *, has_key: bool) -> BatchscribeError:
    """A `UsageError` where the command has to be changed; what may pass by itself stays a `ServerRefused`."""
    told = printable(error.message)
    if error.status == UNAUTHORIZED:
        return UsageError(_about_key(told, server, has_key=has_key))
    if error.reason == JobNotFound.code:
        return JobNotFound(f"There is no job {job_id} at {server}; `batchscribe jobs list` shows the jobs there are.")
    if error.reason == JobNotCancelable.code:
        return JobNotCancelable(told)
    if error.status == NOT_FOUND and not error.reason:
        return UsageError(f"{server} does not know this address (404); is it a batchscribe server?")
    if 400 <= error.status < 500 and error.status != TOO_MANY_REQUESTS:
        return UsageError(f"{server} refused: {told}")
    message = told if server in told else f"{server}: {told}"
    return ServerRefused(message, status=error.status, reason=error.reason, body=error.body)


def _about_key(told: str, server: str, *, has_key: bool) -> str:
    both = "BATCHSCRIBE_API_KEY and BATCHSCRIBE_API_SECRET"
    if has_key:
        return f"{server} does not accept the API key ({told.rstrip('.')}); check {both}."
    return f"{server} asks for an API key; set {both}, as `batchscribe keys create` printed them there."
