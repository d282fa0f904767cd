"""How long the main thread of a page works, measured by the browser itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

CATEGORIES = "toplevel,devtools.timeline"


@dataclass(slots=True)
class MainThreadWork:
    """The CPU times of tasks. Unlike in `longtask` entries, other load on the machine does not count."""

    tasks_ms: list[float] = field(default_factory=list)

    @property
    def longest_ms(self) -> float:
        return max(self.tasks_ms)

    @property
    def total_ms(self) -> float:
        return sum(self.tasks_ms)


@contextmanager
def measured_work(page: Page) -> Iterator[MainThreadWork]:
    """Measure the work of a block; the result is complete at its end."""
    session = page.context.new_cdp_session(page)
    events: list[dict[str, Any]] = []
    ended: list[object] = []
    session.on("Tracing.dataCollected", lambda batch: events.extend(batch["value"]))
    session.on("Tracing.tracingComplete", lambda event: ended.append(event))
    session.send("Tracing.start", {"categories": CATEGORIES, "transferMode": "ReportEvents"})
    work = MainThreadWork()
    yield work
    session.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(20)
    session.detach()
    work.tasks_ms += _tasks_of_pages(events)
    assert work.tasks_ms, "the browser reported no tasks"


def _tasks_of_pages(events: list[dict[str, Any]]) -> list[float]:
    main_threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return [
        event.get("tdur", 0) / 1000
        for event in events
        if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in main_threads
    ]
