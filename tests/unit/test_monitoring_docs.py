"""`docs/monitoring.md` against the output of `/metrics`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.core import Metric

from batchscribe.database.delivery_rows import insert_delivery
from batchscribe.metrics import REGISTRY
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from batchscribe.worker.gauges import Gauges
from tests.documents import ROOT, code_blocks
from tests.jobs_on_record import stored_job

MONITORING = ROOT / "docs" / "monitoring.md"
ALERTS = ROOT / "deploy" / "prometheus" / "batchscribe-alerts.yaml"
SUFFIXES = {"counter": "_total", "info": "_info"}
#: Label names of instruments that have counted nothing yet.
UNUSED = {
    "batchscribe_confinement": {"child", "layer"},
    "batchscribe_file_errors": {"code"},
    "batchscribe_engine_busy_seconds": {"engine"},
    "batchscribe_engine_processes": {"engine"},
    "batchscribe_http_requests": {"method", "route", "status"},
    "batchscribe_http_request_duration_seconds": {"method", "route"},
}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[list[Metric]]:
    """Return the metrics of a process whose database has rows of every kind."""
    settings = load_settings(data_dir=tmp_path)
    records = open_records(settings)
    with records.transaction() as connection:
        job = stored_job(connection, files=1)
        insert_delivery(connection, job.number, event_id="e", event_type="x", payload=b"{}", moment=0.0)
    yield [*REGISTRY.collect(), *Gauges(records, settings).collect()]
    records.database.dispose()


def shown_name(metric: Metric) -> str:
    return metric.name + SUFFIXES.get(metric.type, "")


def labels(metric: Metric) -> set[str]:
    used = {label for sample in metric.samples for label in sample.labels} - {"le"}
    return used or UNUSED.get(metric.name, set())


def test_the_tables_of_metrics_list_what_is_exported(told: list[Metric]) -> None:
    own = [metric for metric in told if metric.name.startswith("batchscribe_")]
    in_document = {
        name.strip("`"): (set(re.findall(r"`(\w+)`", of)), meaning) for name, of, meaning in rows_under("Metric")
    }
    assert sorted(in_document) == sorted(map(shown_name, own))
    for metric in own:
        documented_labels, meaning = in_document[shown_name(metric)]
        assert documented_labels == labels(metric), metric.name
        assert meaning.startswith(metric.documentation), metric.name


def test_every_metric_in_an_expression_exists(told: list[Metric]) -> None:
    known = {shown_name(metric) for metric in told} | {sample.name for metric in told for sample in metric.samples}
    expressions = "\n".join([*code_blocks(MONITORING, "promql"), ALERTS.read_text()])
    named = set(re.findall(r"\b(?:batchscribe|process)_\w+", expressions))
    assert named
    assert named <= known


def test_the_table_of_alerts_lists_the_rules() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    in_document = [(name.strip("`"), severity) for name, severity, _ in rows_under("Alert")]
    assert in_document == [(rule["alert"], rule["labels"]["severity"]) for rule in rules]
    assert f"`{ALERTS.relative_to(ROOT)}`" in MONITORING.read_text()


def events_in_code() -> dict[str, set[str]]:
    """Every event that is logged, with its levels."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[ast.Constant(value=str(event)), *_]
                ):
                    found.setdefault(event, set()).add("error" if level == "exception" else level)
    return found


def test_the_table_of_events_says_what_is_logged() -> None:
    events = {row[0].strip("`"): set(re.findall(r"\w+", row[1])) for row in rows_under("Event")}
    assert events == events_in_code()


def rows_under(head: str) -> list[list[str]]:
    """The rows of all tables whose first column has this name."""
    tables = MONITORING.read_text().split(f"| {head} |")[1:]
    rows = [row for table in tables for row in table.partition("\n\n")[0].splitlines()[2:]]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
