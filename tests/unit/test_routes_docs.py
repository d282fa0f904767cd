"""The table of routes in `docs/http.md` against the routes of the application."""

from __future__ import annotations

import re
from pathlib import Path

from batchscribe.api.app import PREFIX, VERSION, create_api
from batchscribe.api.service import Service
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from tests.documents import ROOT, table_rows

OUTSIDE_THE_TABLE = {"/healthz", "/readyz", "/metrics"}


def test_the_table_of_routes_lists_exactly_the_routes(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    records = open_records(settings)
    application = create_api(Service.of(records, settings))
    declared = {
        f"{method.upper()} {path.removeprefix(f'{VERSION}{PREFIX}').removeprefix(VERSION)}"
        for path, methods in application.openapi()["paths"].items()
        for method in methods
    }
    records.database.dispose()
    rows = [re.match(r"`([A-Z]+ /[^`]*)`", row[0]) for row in table_rows(ROOT / "docs" / "http.md")]
    documented = {row[1] for row in rows if row}
    assert documented == {route for route in declared if route.split()[1] not in OUTSIDE_THE_TABLE}
    text = (ROOT / "docs" / "http.md").read_text()
    assert [path for path in OUTSIDE_THE_TABLE if path not in text] == []
