"""Prometheus queries of the dashboard and the alerts, read by a parser that others wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import promql_parser
import yaml
from prometheus_client.core import Metric

from tests.documents import ROOT

DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "batchscribe.json").read_text())
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "batchscribe-alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
#: Added by Prometheus to every series that it scrapes.
SCRAPED = {"instance", "job"}
INTERVAL = "$__rate_interval"  #: Grafana's name for a range that is long enough

#: The label sets of each series, by name.
Series = dict[str, list[dict[str, str]]]


def dashboard_panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = DASHBOARD["panels"]
    return [panel for panel in panels if panel["type"] != "row"]


def dashboard_queries() -> dict[str, str]:
    """Return the queries by the title of their panel and their number in it."""
    return {
        f"{panel['title']} {number}": target["expr"].replace(INTERVAL, "5m")
        for panel in dashboard_panels()
        for number, target in enumerate(panel["targets"])
    }


def series_of(families: Iterable[Metric]) -> Series:
    series: Series = {}
    for sample in (sample for family in families for sample in family.samples):
        series.setdefault(sample.name, []).append(sample.labels)
    return series


def parts_of(query: str) -> list[promql_parser.Expr]:
    """Return all parts of a query. Raises `ValueError` if it is not PromQL."""
    parts: list[promql_parser.Expr] = []
    promql_parser.walk(promql_parser.parse(query), parts.append)
    return parts


def metrics_in(query: str) -> set[str]:
    return {part.name for part in parts_of(query) if isinstance(part, promql_parser.VectorSelector) and part.name}


def faults_of(query: str, series: Series) -> Iterator[str]:
    """Yield what the query names and these series do not have: metrics, labels, values of labels."""
    named = [series.get(name, []) for name in metrics_in(query)]
    known = {label for label_sets in named for labels in label_sets for label in labels} | SCRAPED
    for part in parts_of(query):
        match part:
            case promql_parser.VectorSelector():
                yield from faults_of_selector(part, series)
            case promql_parser.AggregateExpr(modifier=promql_parser.AggModifier(labels=labels)):
                yield from (f"by {label}" for label in labels if label not in known)
            case promql_parser.BinaryExpr(modifier=promql_parser.BinModifier(matching=promql_parser.LabelModifier())):
                labels = part.modifier.matching.labels if part.modifier and part.modifier.matching else []
                yield from (f"on {label}" for label in labels if label not in known)
            case _:
                pass


def faults_of_selector(selector: promql_parser.VectorSelector, series: Series) -> Iterator[str]:
    found = series.get(selector.name or "", [])
    if not found:
        yield f"no metric {selector.name}"
    for matcher in selector.matchers.matchers:
        values = {labels[matcher.name] for labels in found if matcher.name in labels}
        if matcher.op == promql_parser.MatchOp.Equal and matcher.value not in values:
            yield f"{selector.name} has no {matcher.name}={matcher.value}"


def grouped_by(query: str) -> set[str]:
    """Return the labels that its aggregations keep."""
    modifiers = [part.modifier for part in parts_of(query) if isinstance(part, promql_parser.AggregateExpr)]
    return {label for modifier in modifiers if modifier is not None for label in modifier.labels}


def legend_labels(legend: str) -> set[str]:
    return set(re.findall(r"\{\{(\w+)\}\}", legend))
