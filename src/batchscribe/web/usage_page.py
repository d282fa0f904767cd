"""The usage page: what a tenant's files cost, by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from batchscribe.database.usage_rows import Usage, UsageDay, total_usage, usage_by_day
from batchscribe.web.bar_plot import BarPlot, plot_bars
from batchscribe.web.sessions import VisitorInTurn
from batchscribe.web.site import Site
from batchscribe.web.wording import HOUR_SEC, MINUTE_SEC

SPANS = (30, 90, 365)  #: days
UNITS = (("hours", HOUR_SEC), ("minutes", MINUTE_SEC), ("seconds", 1))


def usage_router(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/usage")
    def show_usage(request: Request, visitor: VisitorInTurn, days: int = SPANS[0]) -> Response:
        span = days if days in SPANS else SPANS[0]
        today = datetime.now(UTC).date()
        since = today - timedelta(days=span - 1)
        with site.service.records.transaction() as connection:
            found = usage_by_day(connection, visitor.tenant, since)
            total = total_usage(connection, visitor.tenant)
        every_day = fill_days(found, since, today)
        names = [each.day.isoformat() for each in every_day]
        plots = [
            ("Audio", plot_durations(names, [each.usage.audio_sec for each in every_day])),
            ("Compute time", plot_durations(names, [each.usage.compute_sec for each in every_day])),
        ]
        return site.page(
            request, "usage.html", days=list(reversed(found)), total=total, plots=plots, span=span, spans=SPANS
        )

    return router


def plot_durations(names: list[str], values_sec: list[float]) -> BarPlot:
    """Plot in the largest unit that the largest value fills."""
    unit, unit_sec = next((each for each in UNITS if max(values_sec, default=0.0) >= each[1]), UNITS[-1])
    return plot_bars(names, [value / unit_sec for value in values_sec], unit=unit)


def fill_days(found: list[UsageDay], since: date, until: date) -> list[UsageDay]:
    """Return every day of a span, also those without files."""
    by_day = {each.day: each for each in found}
    n_days = (until - since).days + 1
    span = [since + timedelta(days=n) for n in range(n_days)]
    return [by_day.get(day) or UsageDay(day, Usage()) for day in span]
