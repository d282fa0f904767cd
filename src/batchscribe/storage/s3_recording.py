"""Reading an object of S3 in ranges, each on condition that it is still the one that was opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import GenericError
from obstore.store import S3Store

from batchscribe.storage.s3_errors import answer_in, status_of

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

_EMPTY_OBJECT = 416  #: no range can be satisfied in an object without bytes


def first_bytes(store: S3Store, path: str, length: int) -> tuple[ObjectMeta, bytes]:
    """What the object is, and how it starts. A GET and not a HEAD: only its refusals say why."""
    try:
        answer = obstore.get(store, path, options={"range": (0, length)})
        return answer.meta, bytes(answer.bytes())
    except GenericError as error:
        if status_of(answer_in(error)) != _EMPTY_OBJECT:
            raise
    return obstore.head(store, path), b""


def bytes_between(store: S3Store, path: str, start: int, end: int, etag: str | None) -> bytes:
    options: GetOptions = {"range": (start, end)}
    if etag is not None:
        options["if_match"] = etag
    return bytes(obstore.get(store, path, options=options).bytes())
