"""`make bench-search`: how long searches over 10,000 transcripts take, and what storing them costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import httpx2
from tests.servers.postgresql import missing_binaries, running_postgresql

from batchscribe.database.connect import Database
from batchscribe.database.segment_rows import search_segments
from batchscribe.jobs.search_query import SearchQuery
from benchmarks.report import Figure, show
from benchmarks.scale.__main__ import DURABLE
from benchmarks.scale.house import House, Kind
from benchmarks.search.corpus import BIG, GREETING, MARKER, SMALL, TRANSCRIPTS, fill

PAGE = 50
REPEATS = 30
GOAL_MS = 100
QUERIES = {
    "a rare word": (BIG, MARKER),
    "a common word": (BIG, "the"),
    "a usual word": (BIG, "weather"),
    "two common words": (BIG, "people time"),
    "a common and a rare word": (BIG, f"the {MARKER}"),
    "two usual words that hardly meet": (BIG, "weather doctor"),
    "a phrase of common words": (BIG, f'"{GREETING}"'),
    "a phrase that does not occur": (BIG, '"weather doctor"'),
    "the most common words, never in a row": (BIG, '"the the of of"'),
    "a short prefix": (BIG, "th*"),
    "a long prefix": (BIG, "weath*"),
    "no hit": (BIG, "qqqqqqqq"),
    "small tenant: a common word": (SMALL, "the"),
    "small tenant: a word of the big tenant": (SMALL, MARKER),
    "small tenant: a phrase that does not occur": (SMALL, '"the the of of"'),
}


def main() -> None:
    _measure(Kind("SQLite"))
    if missing := missing_binaries():
        print(f"\nNo PostgreSQL here ({', '.join(missing)} missing): apt-get install postgresql")
        return
    with running_postgresql(DURABLE) as server:
        _measure(Kind("PostgreSQL", server))


def _measure(kind: Kind) -> None:
    with kind.house() as house:
        filled = fill(house.records.database)
        last = sorted(filled.took_sec[-TRANSCRIPTS // 10 :])
        show(
            f"Storing a transcript of ten minutes for search, {kind.name}",
            [
                Figure("median, after 9,000 transcripts", f"{1000 * statistics.median(last):.1f} ms"),
                Figure("95th percentile", f"{1000 * last[len(last) * 95 // 100]:.1f} ms"),
                Figure("mean of all", f"{1000 * statistics.mean(filled.took_sec):.1f} ms"),
            ],
        )
        show(f"Searching {TRANSCRIPTS} transcripts, {kind.name}: p50 / p95", _search(house))
        show(f"The same by HTTP, {kind.name}: p50 / p95", _search_by_http(house))


def _search(house: House) -> list[Figure]:
    goal = f"at most {GOAL_MS} ms"
    return [
        Figure(name, _time(partial(_find, house.records.database, tenant, text)), goal)
        for name, (tenant, text) in QUERIES.items()
    ]


def _search_by_http(house: House) -> list[Figure]:
    """Without authentication, there is only the tenant to which all requests belong."""
    goal = f"at most {GOAL_MS} ms"
    with house.server("--no-worker") as url, httpx2.Client(base_url=url) as client:
        return [
            Figure(name, _time(partial(_ask, client, text)), goal)
            for name, (tenant, text) in QUERIES.items()
            if tenant == BIG
        ]


def _ask(client: httpx2.Client, text: str) -> None:
    client.get("/v2/aiservices/scribe/search", params={"q": text, "page_size": PAGE}).raise_for_status()


def _find(database: Database, tenant: str, text: str) -> int:
    with database.begin() as connection:
        return len(search_segments(connection, tenant, SearchQuery.parse(text), limit=PAGE).found)


def _time(call: Callable[[], object]) -> str:
    call()
    took_ms = []
    for _ in range(REPEATS):
        began_at = time.perf_counter()
        call()
        took_ms.append(1000 * (time.perf_counter() - began_at))
    took_ms.sort()
    return f"{statistics.median(took_ms):.1f} / {took_ms[len(took_ms) * 95 // 100]:.1f} ms"


if __name__ == "__main__":
    main()
