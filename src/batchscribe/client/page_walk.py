"""Reading a list page by page, only as far as it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from batchscribe.client.attempts import Steps
from batchscribe.client.server_answers import items_of
from batchscribe.errors import ServerError
from batchscribe.wire.base import JsonObject

I = TypeVar("I")  # noqa: E741


@dataclass(slots=True)
class PageWalk(Generic[I]):
    """One walk over the pages of a list. `has_ended` says whether another page is needed."""

    name: str  #: of the list in a page
    server: str
    ask: Callable[[dict[str, str]], Steps[JsonObject]]
    read: Callable[[JsonObject], I]
    query: dict[str, str]
    left: int | None = None  #: how many items are still wanted; None is all
    has_ended: bool = field(default=False, init=False)

    def next_page(self) -> Steps[list[I]]:
        """Ask for the next page and return its items. Raises `ServerError` if it is not a page, or the previous one."""
        if self.left == 0:
            self.has_ended = True
            return []
        page = yield from self.ask(self.query)
        items = items_of(page, self.name, self.server)[: self.left]
        self._advance(page.get("next_page_token"), len(items))
        return [self.read(item) for item in items]

    def _advance(self, token: object, count: int) -> None:
        if self.left is not None:
            self.left -= count
        if not token or self.left == 0:
            self.has_ended = True
        elif not isinstance(token, str) or token == self.query.get("next_page_token"):
            raise ServerError(f"The list of pages from {self.server} does not end; is it a batchscribe server?")
        else:
            self.query = self.query | {"next_page_token": token}
