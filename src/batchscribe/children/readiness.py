"""The first message of a confined child: whether it can work on this machine."""

from __future__ import annotations

import errno
import os

from batchscribe.children.framing import Gibberish, receive
from batchscribe.children.pipe import Pipe
from batchscribe.children.watchdog import ChildHangs


class ChildNotReady(Exception):
    """The child cannot work. The text is the reason; `number` is the system error that the child reported, if any."""

    def __init__(self, reason: str, number: object = None) -> None:
        super().__init__(reason)
        self.number = number


def wait_until_ready(pipe: Pipe) -> None:
    """Wait for a new child to report that it can work. Raises `ChildNotReady`."""
    try:
        header, _ = receive(pipe)
    except ChildHangs as hang:
        raise ChildNotReady(f"it {hang}") from hang
    except (EOFError, OSError, Gibberish) as error:
        raise ChildNotReady("its process ended before it was ready") from error
    if header.get("op") != "ready":
        number = header.get("errno")
        raise ChildNotReady(_describe_errno(number), number)


def _describe_errno(number: object) -> str:
    """Return the text of a system error. The child sends only its number, because text from it is not trusted."""
    if isinstance(number, int) and number in errno.errorcode:
        return os.strerror(number)
    return "its process could not be confined"
