"""Write objects, on condition that nothing is there yet where that is asked for."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from http import HTTPStatus

from batchscribe.errors import ConditionalWriteUnsupported, ObjectNotFound, OutputExists, StorageError
from batchscribe.storage.answer_checks import Answer, is_web_page, nonsense
from batchscribe.storage.s3_buckets import Buckets, is_success
from batchscribe.storage.s3_errors import code_of

NOTHING_THERE = {"if-none-match": "*"}
#: The statuses with which services refuse that condition (Backblaze B2: 501), one that is not fulfilled among them.
_OF_CONDITION = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
#: Codes that say nothing else of a 400: it is then asked whether simpler requests are refused as well.
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
#: What is tried before a job begins is called so, beside its first transcript. It is never stored.
PROBE = ".batchscribe-probe-"


def write_object(buckets: Buckets, uri: str, data: bytes, *, overwrite: bool, content_type: str) -> None:
    """Raises `OutputExists` and `ConditionalWriteUnsupported` unless `overwrite`."""
    answer = _put(buckets, uri, data, data, content_type, is_conditional=not overwrite)
    if not is_success(answer, "PUT"):
        raise _refused_condition(uri) if overwrite else _meaning(buckets, uri, answer)
    if is_web_page(answer.body):
        raise nonsense(uri, "it answered with a web page, as a login page or a proxy does")


def check_conditional_write(buckets: Buckets, beside: str) -> None:
    """Raises `ConditionalWriteUnsupported` where that is so, and whatever else refuses a write beside this URI.

    Asked with a body that has another digest than it is said to have: who knows the condition refuses that, and stores
    nothing. Who looks at no digests stores two bytes, which are deleted again where that is allowed. Their name depends
    on `beside` alone: if they are there already, an earlier try was cut short, and its bytes are deleted now.
    """
    probe = f"{beside.rpartition('/')[0]}/{PROBE}{hashlib.sha256(beside.encode()).hexdigest()[:16]}.json"
    answer = _put(buckets, probe, b"{}", b"", "application/json", is_conditional=True)
    if not is_success(answer, "PUT"):
        if code_of(answer) in _OTHER_DIGEST:
            return
        if not isinstance(refusal := _meaning(buckets, probe, answer), OutputExists):
            raise refusal
    with suppress(StorageError):
        delete_object(buckets, probe)


def _refused_condition(uri: str) -> StorageError:
    return StorageError(f"The storage refused {uri} for a condition that was not sent (HTTP 412); check any proxy.")


def delete_object(buckets: Buckets, uri: str) -> None:
    with suppress(ObjectNotFound):
        buckets.ask(uri, "DELETE")


def _put(buckets: Buckets, uri: str, data: bytes, said: bytes, content_type: str, *, is_conditional: bool) -> Answer:
    """Content-MD5, that of `said`, lets the storage refuse a body that arrives damaged."""
    digest = base64.b64encode(hashlib.md5(said, usedforsecurity=False).digest()).decode()
    headers = {"content-type": content_type, "content-md5": digest, **(NOTHING_THERE if is_conditional else {})}
    also = _OF_CONDITION if is_conditional else {HTTPStatus.PRECONDITION_FAILED}
    return buckets.ask(uri, "PUT", headers=headers, body=data, also=also)


def _meaning(buckets: Buckets, uri: str, answer: Answer) -> StorageError:
    """Of a refused PUT with the condition."""
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return OutputExists(f"{uri} exists already; allow overwriting or choose another output.")
    if not _is_of_condition(buckets, uri, answer):
        return buckets.refused(uri, answer)
    reason = code_of(answer) or f"HTTP {answer.status}"
    return ConditionalWriteUnsupported(
        f"The storage of {uri.rpartition('/')[0]}/ does not support conditional writes ({reason}); send the job with "
        "`overwrite`, preferably into a folder of its own."
    )


def _is_of_condition(buckets: Buckets, uri: str, answer: Answer) -> bool:
    """A 400 may have other reasons, a session token say: then simpler requests are refused as well."""
    if answer.status != HTTPStatus.BAD_REQUEST:
        return True
    return code_of(answer) in _UNKNOWN_CONDITION and not buckets.looks_alike(uri, answer)
