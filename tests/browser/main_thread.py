"""How long the main thread of a page is busy without a pause, measured by the browser itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

CATEGORIES = "toplevel,devtools.timeline"


@contextmanager
def longest_task(page: Page) -> Iterator[list[float]]:
    """Append the CPU time of the longest task in the block, in milliseconds.

    Other load on the machine does not count, unlike in the `longtask` entries of a page.
    """
    session = page.context.new_cdp_session(page)
    events: list[dict[str, Any]] = []
    ended: list[object] = []
    session.on("Tracing.dataCollected", lambda batch: events.extend(batch["value"]))
    session.on("Tracing.tracingComplete", lambda event: ended.append(event))
    session.send("Tracing.start", {"categories": CATEGORIES, "transferMode": "ReportEvents"})
    found: list[float] = []
    yield found
    session.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(20)
    session.detach()
    main_threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event.get("tdur", 0) / 1000
        for event in events
        if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in main_threads
    ]
    assert tasks, "the browser reported no tasks"
    found.append(max(tasks))
