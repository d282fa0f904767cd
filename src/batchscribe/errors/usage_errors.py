"""Errors of requests, commands and settings, and of the servers and machines that carry them out."""

from __future__ import annotations

from dataclasses import dataclass

from batchscribe.errors.root import BatchscribeError

# --- usage ---------------------------------------------------------------------------------------------------------


class UsageError(BatchscribeError):
    """The request, command or setting cannot be carried out as written."""

    code = "USAGE_ERROR"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One problem in a request. `field` is its dotted path, or empty for the request as a whole."""

    field: str
    message: str


class InvalidRequest(UsageError):
    """A field of a job is missing, malformed or contradicts another field; `field` is its dotted path on the wire."""

    code = "VALIDATION_FAILED"

    def __init__(self, message: str, *, field: str = "", mistakes: tuple[Mistake, ...] = ()) -> None:
        """`mistakes` lists all of them, starting with that of `message`; by default, there is only that one."""
        super().__init__(message)
        self.field = field
        self.mistakes = mistakes or (Mistake(field, message),)


class UnsupportedLanguage(InvalidRequest):
    """No installed engine understands the language; the message lists the supported languages."""

    code = "UNSUPPORTED_LANGUAGE"


class OptionNotAvailable(InvalidRequest):
    """The option is not supported yet, or no installed engine supports it. It is rejected, never ignored."""

    code = "OPTION_NOT_AVAILABLE"


class InvalidSetting(UsageError):
    """A `BATCHSCRIBE_*` setting, or its option, has an invalid value."""

    code = "INVALID_SETTING"


class EngineNotAvailable(UsageError):
    """The engine, or the model it needs, is not installed."""

    code = "ENGINE_NOT_AVAILABLE"


class ModelNotFound(UsageError):
    """No speech model with this name is known or installed."""

    code = "MODEL_NOT_FOUND"


class JobNotFound(UsageError):
    """There is no such job in this database."""

    code = "JOB_NOT_FOUND"


class JobFileNotFound(UsageError):
    """The job has no such file."""

    code = "FILE_NOT_FOUND"


class JobNotCancelable(UsageError):
    """The job has already ended."""

    code = "JOB_NOT_CANCELABLE"


class JobEnded(UsageError):
    """Fresh credentials were sent for a job that has ended."""

    code = "JOB_ENDED"


class JobNotRetryable(UsageError):
    """The job has no failed files that can be retried now."""

    code = "JOB_NOT_RETRYABLE"


class FreshCredentialsNeeded(UsageError):
    """A retry needs the job's storage credentials, which were deleted at its end."""

    code = "FRESH_CREDENTIALS_NEEDED"


class DeliveryNotFound(UsageError):
    """The job has no such webhook event."""

    code = "DELIVERY_NOT_FOUND"


class WebhookAddressGone(UsageError):
    """An event cannot be sent again, because the URL of the webhook is no longer stored."""

    code = "WEBHOOK_ADDRESS_GONE"


class KeyNotFound(UsageError):
    """There is no such API key in this database."""

    code = "KEY_NOT_FOUND"


class VocabularyNotFound(UsageError):
    """The tenant has no such vocabulary."""

    code = "VOCABULARY_NOT_FOUND"


class TooManyVocabularies(UsageError):
    """The tenant has as many vocabularies as the operator allows."""

    code = "TOO_MANY_VOCABULARIES"


class SearchOff(UsageError):
    """Transcripts cannot be searched, because their text is not stored in the database."""

    code = "SEARCH_OFF"


class IdempotencyKeyReused(UsageError):
    """The same `Idempotency-Key` was sent with a different body within 24 hours."""

    code = "IDEMPOTENCY_KEY_REUSED"


class DataDirectoryBusy(UsageError):
    """Another batchscribe process uses this data directory."""

    code = "DATA_DIRECTORY_BUSY"


class AlreadyRunning(UsageError):
    """Another process works on the same job of the command line, or watches the same folder for the same output."""

    code = "ALREADY_RUNNING"


class SchemaMismatch(UsageError):
    """The database schema is older than this release needs, or newer than it supports."""

    code = "SCHEMA_MISMATCH"


# --- requests over HTTP --------------------------------------------------------------------------------------------


class RequestRefused(UsageError):
    """The request was rejected before it reached a job."""

    code = "REQUEST_REFUSED"


class AccessTokenInvalid(RequestRefused):
    """The key or token is missing, wrong, expired or revoked."""

    code = "INVALID_ACCESS_TOKEN"


class CrossSiteRequest(RequestRefused):
    """A page of another web site sent the request."""

    code = "CROSS_SITE_REQUEST"


class MalformedRequest(RequestRefused):
    """The data on the connection is not an HTTP/1.1 request."""

    code = "MALFORMED_REQUEST"


class HeadTooLarge(RequestRefused):
    """The request line and the headers are longer than 64 KiB."""

    code = "HEAD_TOO_LARGE"


class RequestTooSlow(RequestRefused):
    """The head or the body of a request did not arrive in time, or the client disconnected."""

    code = "REQUEST_TIMEOUT"


class MalformedBody(RequestRefused):
    """The body is not a JSON object."""

    code = "MALFORMED_BODY"


class BodyTooLarge(RequestRefused):
    """The body is larger than the operator allows."""

    code = "BODY_TOO_LARGE"


class ContentTypeNotAccepted(RequestRefused):
    """The body is not declared as application/json."""

    code = "UNSUPPORTED_CONTENT_TYPE"


class RouteNotFound(RequestRefused):
    """Nothing is served under this path."""

    code = "NOT_FOUND"


class MethodNotAllowed(RequestRefused):
    """The path does not support this method."""

    code = "METHOD_NOT_ALLOWED"


class ServerBusy(RequestRefused):
    """The server has reached its connection limit, and every connection has a request under way."""

    code = "SERVER_BUSY"


class TooManyRequests(RequestRefused):
    """The tenant sends more requests than the operator allows; `retry_after_sec` says when to retry."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_sec: int) -> None:
        super().__init__(message)
        self.retry_after_sec = retry_after_sec


# --- servers and addresses -----------------------------------------------------------------------------------------


class ServerError(BatchscribeError):
    """A request of the client failed."""

    code = "SERVER_ERROR"


class ServerUnreachable(ServerError):
    """The server could not be reached or did not answer in time."""

    code = "SERVER_UNREACHABLE"


class ServerRefused(ServerError):
    """The server answered with an error: `status` is the HTTP status, `reason` its error code, `body` the full body."""

    code = "SERVER_REFUSED"

    def __init__(self, message: str, *, status: int, reason: str = "", body: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.body = body


class JobInterrupted(BatchscribeError):
    """No process works on the job of a data directory, so waiting for its end is useless."""

    code = "JOB_INTERRUPTED"


class WebhookNotGenuine(BatchscribeError):
    """A webhook request is not signed with the secret, or is too old."""

    code = "WEBHOOK_NOT_GENUINE"


class DatabaseUnavailable(BatchscribeError):
    """The database does not answer."""

    code = "DATABASE_UNAVAILABLE"


class MachineTrouble(BatchscribeError):
    """This machine cannot decode or recognize now: `part` is `decoder` or the name of an engine.

    This is never the outcome of a file. The file is requeued, and the process takes no other file until its trial
    succeeds.
    """

    code = "MACHINE_TROUBLE"

    def __init__(self, message: str, *, part: str) -> None:
        super().__init__(message)
        self.part = part


class ModelElsewhere(MachineTrouble):
    """This machine does not have the model of a job, which other workers may have; `part` is the key of the model.

    Only this task is requeued; the machine is fit.
    """


class AddressNotAllowed(BatchscribeError):
    """An outbound request may not go to this address."""

    code = "ADDRESS_NOT_ALLOWED"
