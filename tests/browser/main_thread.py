"""How long the main thread of a page works, measured by the browser itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

CATEGORIES = "toplevel,devtools.timeline,blink.user_timing"
#: Names of marks around the action. Both are recorded only if all its tasks are.
BEGUN, DONE = "measured-work-begun", "measured-work-done"
MARK = "name => { performance.mark(name); }"
MOST_ATTEMPTS = 10

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MainThreadWork:
    """The CPU times of tasks. Unlike in `longtask` entries, other load on the machine does not count."""

    tasks_ms: list[float]

    @property
    def longest_ms(self) -> float:
        return max(self.tasks_ms)

    @property
    def total_ms(self) -> float:
        return sum(self.tasks_ms)


def measured_work(page: Page, act: Callable[[], object]) -> MainThreadWork:
    """Measure the work of an action.

    On a busy machine, the browser may say that it records tasks before the process of the page does. Then the action is
    repeated.
    """
    for _ in range(MOST_ATTEMPTS):
        events = _recorded(page, act)
        if {BEGUN, DONE} <= {event["name"] for event in events}:
            return MainThreadWork(_tasks_of_pages(events))
    raise AssertionError("the browser recorded no tasks of the page")


def _recorded(page: Page, act: Callable[[], object]) -> list[Event]:
    """Return what the browser records about an action and the marks around it."""
    session = page.context.new_cdp_session(page)
    events: list[Event] = []
    ended: list[object] = []
    session.on("Tracing.dataCollected", lambda batch: events.extend(batch["value"]))
    session.on("Tracing.tracingComplete", lambda event: ended.append(event))
    session.send("Tracing.start", {"categories": CATEGORIES, "transferMode": "ReportEvents"})
    page.evaluate(MARK, BEGUN)
    act()
    page.evaluate(MARK, DONE)  # in another task: the browser records a task at its end
    session.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(20)
    session.detach()
    return events


def _tasks_of_pages(events: list[Event]) -> list[float]:
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
