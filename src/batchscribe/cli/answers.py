"""Answers about jobs and files, read as types of the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

from pydantic import ValidationError

from batchscribe.errors import ServerError
from batchscribe.wire.answers import SummaryAnswer
from batchscribe.wire.model import JsonObject, WireModel
from batchscribe.wire.refusals import refused

Answer = TypeVar("Answer", bound=WireModel)
Item = TypeVar("Item")


def understood(kind: type[Answer], body: JsonObject) -> Answer:
    """Raises `ServerError` when it is not what the contract says."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise ServerError(f"The server's answer cannot be understood: {refused(error).message}") from None


def begun(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, with the first at hand: if there is none to be had, that is known before a line is printed."""
    iterator = iter(items)
    return chain(list(islice(iterator, 1)), iterator)


def finished(summary: SummaryAnswer) -> int:
    """Files with a final state, less the canceled ones."""
    return summary.succeeded + summary.failed + summary.skipped
