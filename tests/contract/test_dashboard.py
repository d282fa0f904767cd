"""The queries of the Grafana dashboard and of the alerts, on what real servers export."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contract.bodies import manifest
from tests.contract.client import Client
from tests.contract.conftest import client_of
from tests.contract.server import Server
from tests.documents import ROOT, code_blocks
from tests.integration.command import wait_until
from tests.promql import (
    ALERTS,
    DASHBOARD,
    SCRAPED,
    Series,
    dashboard_panels,
    dashboard_queries,
    faults_of,
    grouped_by,
    legend_labels,
    metrics_in,
    series_of,
)
from tests.servers.s3_server import S3Server

#: The answer to a request that a bug made fail.
NO_BUG_YET = "batchscribe_http_requests_total has no status=500"
OF_PROMETHEUS = "no metric up"
MONITORING = ROOT / "docs" / "monitoring.md"


def scraped(client: Client) -> Series:
    text = client.call_at("GET", "/metrics", 200).content.decode()
    return series_of(text_string_to_metric_families(text))


@pytest.fixture(scope="module")
def series(alice: Client, nobody: Client, idle_server: Server, moto_s3: S3Server, wav: bytes) -> Series:
    """All series of a server after a job with a failed file, and of one with a job that waits."""
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    alice.done(manifest(f"s3://{bucket}/a.wav", f"s3://{bucket}/none.wav", output=f"s3://{bucket}/out/"))
    wait_until(lambda: "batchscribe_confinement" in scraped(nobody))  # measured while the server starts
    with client_of(idle_server, idle_server.new_key("queued")) as client:
        job_id = client.submit(manifest("s3://calls/a.wav"))
        waiting = scraped(client)
        client.cancel(job_id)
    working = scraped(nobody)
    return {name: [*working.get(name, []), *waiting.get(name, [])] for name in working.keys() | waiting.keys()}


def test_every_query_of_the_dashboard_names_series_that_servers_export(series: Series) -> None:
    faults = {title: list(faults_of(query, series)) for title, query in dashboard_queries().items()}
    assert {title: found for title, found in faults.items() if found} == {}


def test_every_query_and_alert_of_the_document_names_series_that_servers_export(series: Series) -> None:
    blocks = code_blocks(MONITORING, "promql")
    queries = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    queries += [alert["expr"] for alert in ALERTS]
    assert len(queries) > 10
    for query in queries:
        assert set(faults_of(query, series)) <= {NO_BUG_YET, OF_PROMETHEUS}, query


def test_the_dashboard_shows_every_metric_of_batchscribe(series: Series) -> None:
    shown = {name for query in dashboard_queries().values() for name in metrics_in(query)}
    families = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in series}
    own = {name for name in families if name.startswith("batchscribe_")}
    assert own - {name.removesuffix("_bucket").removesuffix("_sum") for name in shown} == set()


def test_a_query_that_names_what_does_not_exist_is_found(series: Series) -> None:
    query = 'sum by (color) (rate(batchscribe_files_total{outcome="lost"}[5m])) / on (shape) batchscribe_none'
    assert sorted(faults_of(query, series)) == [
        "batchscribe_files_total has no outcome=lost", "by color", "no metric batchscribe_none", "on shape",
    ]  # fmt: skip


def test_a_legend_names_only_labels_that_its_query_keeps() -> None:
    for panel in dashboard_panels():
        for number, target in enumerate(panel["targets"]):
            kept = grouped_by(dashboard_queries()[f"{panel['title']} {number}"])
            assert legend_labels(target["legendFormat"]) <= kept | SCRAPED, panel["title"]


def test_panels_have_their_own_place_and_use_the_chosen_data_source() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [(x, y) for panel in panels for x, y in cells_of(panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    (variable,) = DASHBOARD["templating"]["list"]
    sources = [each["datasource"] for panel in dashboard_panels() for each in (panel, *panel["targets"])]
    assert all(source == {"type": "prometheus", "uid": f"${{{variable['name']}}}"} for source in sources)


def cells_of(place: dict[str, int]) -> list[tuple[int, int]]:
    across, down = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
    return [(x, y) for x in across for y in down]
