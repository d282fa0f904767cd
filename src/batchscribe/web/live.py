"""Server-sent events: a part of a page is sent again whenever it changes.

A stream waits in the event loop and holds no thread. It asks the database once a second. It ends with the session, when
the server stops, and after an hour; then the browser connects again.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from batchscribe.database.connect import DATABASE_TROUBLE
from batchscribe.database.job_changes import changes_of_tenant
from batchscribe.database.job_rows import get_job_of
from batchscribe.errors import JobNotFound, TooManyRequests
from batchscribe.web.file_list import Wanted
from batchscribe.web.job_list import read_jobs, read_state
from batchscribe.web.live_job import LiveJob
from batchscribe.web.sessions import CurrentVisitor, Visitor, find_visitor
from batchscribe.web.site import Site

PER_TENANT = 12  #: streams of one server process; a person has a few tabs
IN_ALL = 200
RETRY_AFTER_SEC = 30
LOOK_SEC = 1.0  #: between two queries
STEP_SEC = 0.25  #: within which a stream notices that the server stops
REFRESH_SEC = 10.0  #: between two looks at what changes with time alone: the time that a job still takes
SESSION_SEC = 5.0  #: between two checks that the session has not ended
HEARTBEAT_SEC = 15.0  #: a comment keeps proxies from closing the connection
LONGEST_SEC = 3600.0

#: The event at which the page closes the stream.
DELETED = "event: deleted\ndata: -\n\n"

#: Returns the new content as HTML and the changes that it shows; None if nothing has changed since `changes`.
Look = Callable[[str], tuple[str, str] | None]


class Streams:
    """The open streams; used from the event loop."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def of(self, tenant: str) -> Iterator[None]:
        self._open[tenant] += 1
        try:
            yield
        finally:
            self._open[tenant] -= 1
            if not self._open[tenant]:
                del self._open[tenant]

    def check(self, tenant: str) -> None:
        """Raises `TooManyRequests`."""
        if self._open[tenant] >= PER_TENANT or self._open.total() >= IN_ALL:
            raise TooManyRequests(
                "Too many pages are open to update all of them; close some, and reload this one.",
                retry_after_sec=RETRY_AFTER_SEC,
            )


@dataclass(slots=True)
class PageStream:
    """One stream of a page."""

    site: Site
    request: Request
    visitor: Visitor
    look: Look
    changes: str  #: what the page shows
    content: str = ""  #: what was sent last
    refreshed_at: float = field(default_factory=time.monotonic)

    async def events(self, streams: Streams) -> AsyncIterator[str]:
        began_at = looked_at = sent_at = checked_at = time.monotonic()
        with streams.of(self.visitor.tenant):
            yield ": connected\n\n"
            while not self.site.is_ending() and time.monotonic() - began_at < LONGEST_SEC:
                await asyncio.sleep(STEP_SEC)
                now = time.monotonic()
                if now - checked_at >= SESSION_SEC:
                    checked_at = now
                    if not await run_in_threadpool(self._is_signed_in):
                        return
                if now - looked_at >= LOOK_SEC:
                    looked_at = now
                    try:
                        content = await run_in_threadpool(self._next)
                    except JobNotFound:
                        yield as_event(self.site.render(self.request, "parts/job_deleted.html")) + DELETED
                        return
                    if content is not None:
                        sent_at = now
                        yield as_event(content)
                if now - sent_at >= HEARTBEAT_SEC:
                    sent_at = now
                    yield ": still here\n\n"

    def _is_signed_in(self) -> bool:
        try:
            return find_visitor(self.request, self.site.service) is not None
        except DATABASE_TROUBLE:
            return True  # it is not known; the next check decides

    def _next(self) -> str | None:
        """Return the new content; None without a change, and while the database does not answer. Raises as `look`."""
        is_due = time.monotonic() - self.refreshed_at >= REFRESH_SEC
        try:
            found = self.look("" if is_due else self.changes)
        except DATABASE_TROUBLE:
            return None
        if found is None:
            return None
        before = self.content
        self.content, self.changes = found
        self.refreshed_at = time.monotonic()
        return None if self.content == before else self.content


def as_event(content: str) -> str:
    """Return the content as an event without a name, which htmx puts into the page."""
    lines = "".join(f"data: {line}\n" for line in content.splitlines())
    return f"{lines}\n"


def live_router(site: Site) -> APIRouter:
    router = APIRouter()
    streams = Streams()

    def answer(stream: PageStream) -> Response:
        streams.check(stream.visitor.tenant)
        headers = {"X-Accel-Buffering": "no"}  # for nginx, which otherwise holds events back
        return StreamingResponse(stream.events(streams), headers=headers, media_type="text/event-stream")

    @router.get("/events/jobs")
    async def jobs_events(request: Request, visitor: CurrentVisitor, changes: str = "", state: str = "") -> Response:
        wanted = read_state(state)

        def look(seen: str) -> tuple[str, str] | None:
            with site.service.records.transaction() as connection:
                if changes_of_tenant(connection, visitor.tenant) == seen:
                    return None
                page = read_jobs(connection, site.service.records.keyring, visitor.tenant, wanted, "")
            return site.render(request, "parts/job_rows.html", page=page, state=wanted, is_first=True), page.changes

        return answer(PageStream(site, request, visitor, look, changes))

    @router.get("/events/jobs/{job_id}")
    async def job_events(
        request: Request,
        visitor: CurrentVisitor,
        job_id: str,
        changes: str = "",
        state: str = "",
        name: str = "",
        after: int = 0,
    ) -> Response:
        wanted = Wanted.of(state, name, after)

        def check() -> None:
            with site.service.records.transaction() as connection:
                get_job_of(connection, visitor.tenant, job_id)

        def look(seen: str) -> tuple[str, str] | None:
            with site.service.records.transaction() as connection:
                live = LiveJob.of(connection, get_job_of(connection, visitor.tenant, job_id))
                if live.changes == seen:
                    return None
                context = live.context(connection, wanted, shown=changes)
            return site.render(request, "parts/job_live.html", **context), live.changes

        await run_in_threadpool(check)  # raises if there is no such job
        return answer(PageStream(site, request, visitor, look, changes))

    return router
