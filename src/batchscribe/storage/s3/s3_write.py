"""Writes of S3 objects, optionally on the condition that the object does not exist."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from batchscribe.errors import ConditionalWriteUnsupported, ObjectNotFound, OutputExists, StorageError
from batchscribe.storage.answer_checks import Answer, is_web_page, nonsense
from batchscribe.storage.conditional_writes import content_md5, output_exists, probe_beside
from batchscribe.storage.s3.s3_buckets import Buckets, is_success
from batchscribe.storage.s3.s3_errors import code_of

NOTHING_THERE = {"if-none-match": "*"}
#: Statuses of a rejected conditional write: of services without support (Backblaze B2: 501), and 412 if the object
#: exists.
_OF_CONDITION = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
#: Codes that do not explain a 400. A simpler request then shows whether the condition is the cause.
_UNKNOWN_CONDITION = {
    None,
    "InvalidArgument",
    "InvalidHeader",
    "InvalidRequest",
    "MethodNotAllowed",
    "NotImplemented",
    "NotSupported",
    "UnsupportedHeader",
    "UnsupportedOperation",
    "XNotImplemented",
}
_OTHER_DIGEST = {"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"}


def write_object(buckets: Buckets, uri: str, data: bytes, *, overwrite: bool, content_type: str) -> None:
    """Write an object. Without `overwrite`, raises `OutputExists` and `ConditionalWriteUnsupported`."""
    answer = _put(buckets, uri, data, data, content_type, is_conditional=not overwrite)
    if not is_success(answer, "PUT"):
        raise _refused_condition(uri) if overwrite else _meaning(buckets, uri, answer)
    if is_web_page(answer.body):
        raise nonsense(uri, "it answered with a web page, as a login page or a proxy does")


def check_conditional_write(buckets: Buckets, beside: str) -> None:
    """Test a conditional write in the folder of this URI. Raises `ConditionalWriteUnsupported` and other write errors.

    The test object has a wrong digest. A service that supports the condition rejects the digest and stores nothing. A
    service that ignores digests stores two bytes, which are deleted if permitted. Their name depends only on `beside`,
    so the bytes of an interrupted earlier test are deleted as well.
    """
    probe = probe_beside(beside)
    answer = _put(buckets, probe, b"{}", b"", "application/json", is_conditional=True)
    if not is_success(answer, "PUT"):
        if code_of(answer) in _OTHER_DIGEST:
            return
        if not isinstance(refusal := _meaning(buckets, probe, answer), OutputExists):
            raise refusal
    with suppress(StorageError):
        delete_object(buckets, probe)


def _refused_condition(uri: str) -> StorageError:
    return StorageError(
        f"The storage rejected {uri} because of a condition that was not sent (HTTP 412); check proxies."
    )


def delete_object(buckets: Buckets, uri: str) -> None:
    with suppress(ObjectNotFound):
        buckets.ask(uri, "DELETE")


def _put(buckets: Buckets, uri: str, data: bytes, said: bytes, content_type: str, *, is_conditional: bool) -> Answer:
    """Send a PUT with the Content-MD5 of `said`, so that the storage rejects a damaged body."""
    headers = {
        "content-type": content_type,
        "content-md5": content_md5(said),
        **(NOTHING_THERE if is_conditional else {}),
    }
    also = _OF_CONDITION if is_conditional else {HTTPStatus.PRECONDITION_FAILED}
    return buckets.ask(uri, "PUT", headers=headers, body=data, also=also)


def _meaning(buckets: Buckets, uri: str, answer: Answer) -> StorageError:
    """Return the error for a rejected conditional PUT."""
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return output_exists(uri)
    if not _is_of_condition(buckets, uri, answer):
        return buckets.refused(uri, answer)
    reason = code_of(answer) or f"HTTP {answer.status}"
    return ConditionalWriteUnsupported(
        f"The storage of {uri.rpartition('/')[0]}/ does not support conditional writes ({reason}); send the job with "
        "`overwrite`, preferably into a separate folder."
    )


def _is_of_condition(buckets: Buckets, uri: str, answer: Answer) -> bool:
    """Return whether the condition is the cause. It is not, for example, if simpler requests get a 400 as well."""
    if answer.status != HTTPStatus.BAD_REQUEST:
        return True
    return code_of(answer) in _UNKNOWN_CONDITION and not buckets.looks_alike(uri, answer)
