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
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from batchscribe.database.connect import DATABASE_TROUBLE
from batchscribe.database.job_changes import changes_of_tenant
from batchscribe.errors import BatchscribeError, TooManyRequests
from batchscribe.web.job_list import read_jobs, read_state
from batchscribe.web.job_page import LiveJob, read_live_job
from batchscribe.web.sessions import CurrentVisitor, Visitor, find_visitor
from batchscribe.web.site import Site

PER_TENANT = 12  #: streams of one server process; a person has a few tabs
IN_ALL = 200
RETRY_AFTER_SEC = 30
LOOK_SEC = 1.0  #: between two queries
STEP_SEC = 0.25  #: within which a stream notices that the server stops
SESSION_SEC = 5.0  #: between two checks that the session has not ended
HEARTBEAT_SEC = 15.0  #: a comment keeps proxies from closing the connection
LONGEST_SEC = 3600.0

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
                    except BatchscribeError:  # the job was deleted
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
        try:
            found = self.look(self.changes)
        except DATABASE_TROUBLE:
            return None
        if found is None:
            return None
        content, self.changes = found
        return content


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
    async def jobs_events(
        request: Request, visitor: CurrentVisitor, changes: str = "", state: str = "", before: str = ""
    ) -> Response:
        wanted = read_state(state)

        def look(seen: str) -> tuple[str, str] | None:
            with site.service.records.transaction() as connection:
                if changes_of_tenant(connection, visitor.tenant) == seen:
                    return None
                page = read_jobs(connection, visitor.tenant, wanted, before)
            return site.render(
                request, "parts/job_rows.html", page=page, state=wanted, is_first=not before
            ), page.changes

        return answer(PageStream(site, request, visitor, look, changes))

    @router.get("/events/jobs/{job_id}")
    async def job_events(request: Request, visitor: CurrentVisitor, job_id: str, changes: str = "") -> Response:
        def read() -> LiveJob:
            with site.service.records.transaction() as connection:
                return read_live_job(connection, visitor.tenant, job_id)

        def look(seen: str) -> tuple[str, str] | None:
            found = read()
            if found.changes == seen:
                return None
            return site.render(request, "parts/job_live.html", live=found), found.changes

        await run_in_threadpool(read)  # raises if there is no such job
        return answer(PageStream(site, request, visitor, look, changes))

    return router
