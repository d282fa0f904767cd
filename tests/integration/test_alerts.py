"""`deploy/prometheus`: each alert in Prometheus's own rule engine, where it must fire and where it must not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documents import ROOT, code_blocks
from tests.promql import ALERTS

RULES = ROOT / "deploy" / "prometheus" / "batchscribe-alerts.yaml"

#: A worker without jobs, sampled once a minute for two hours. Cases replace or add series.
WELL = {
    'batchscribe_build_info{job="batchscribe-worker", instance="w:9464"}': "1x120",
    'up{job="batchscribe-worker", instance="w:9464"}': "1x120",
    "batchscribe_database_up": "1x120",
    'batchscribe_workers{state="working"}': "1x120",
    'batchscribe_workers{state="silent"}': "0x120",
    'batchscribe_unfit{instance="w:9464", part="decoder"}': "0x120",
    'batchscribe_files_total{outcome="succeeded"}': "0x120",
    'batchscribe_files_total{outcome="failed"}': "0x120",
    'batchscribe_retries_total{what="storage"}': "0x120",
    "batchscribe_reaped_workers_total": "0x120",
    "batchscribe_webhooks_oldest_seconds": "0x120",
    'batchscribe_webhook_attempts_total{result="gave_up"}': "0x120",
    'batchscribe_confinement{instance="w:9464", child="decoder", layer="landlock"}': "1x120",
    'batchscribe_confinement{instance="w:9464", child="decoder", layer="namespaces"}': "0x120",
    'batchscribe_http_requests_total{status="201"}': "0+1x120",
}
JOB = {
    'batchscribe_queue_jobs{tenant="acme"}': "1x120",
    'batchscribe_queue_jobs_waiting_for_credentials{tenant="acme"}': "0x120",
    'batchscribe_queue_oldest_seconds{tenant="acme"}': "0+60x120",
}
#: A job that no worker has listed has no files yet.
NO_FILES = {'batchscribe_queue_files{tenant="acme"}': "0x120"}

#: What an hour of these series must raise, and nothing else.
CASES: dict[str, tuple[Mapping[str, str | None], set[str]]] = {
    "an idle service": ({}, set()),
    "a service at work": (
        JOB | {'batchscribe_files_total{outcome="succeeded"}': "0+9x120"},
        set(),
    ),
    "one recording of many hours": (JOB | {"batchscribe_engine_busy_seconds_total": "0+55x120"}, set()),
    "a new job without workers": (
        JOB | NO_FILES | {'batchscribe_workers{state="working"}': "0x120"},
        {"BatchscribeNoWorkers", "BatchscribeNoProgress"},
    ),
    "no workers and no jobs": ({'batchscribe_workers{state="working"}': "0x120"}, set()),
    "a worker that does nothing": (JOB, {"BatchscribeNoProgress"}),
    "a job that waits for credentials": (
        JOB | {'batchscribe_queue_jobs_waiting_for_credentials{tenant="acme"}': "1x120"},
        {"BatchscribeCredentialsExpired"},
    ),
    "a job from yesterday": (
        JOB
        | {
            'batchscribe_queue_oldest_seconds{tenant="acme"}': "86400+60x120",
            'batchscribe_files_total{outcome="succeeded"}': "0+9x120",
        },
        {"BatchscribeOldJob"},
    ),
    "no process at all": (dict.fromkeys(WELL), {"BatchscribeNotScraped"}),
    "a process that does not answer": (
        {'up{job="batchscribe-server", instance="api-1:8080"}': "0x120"},
        {"BatchscribeProcessDown"},
    ),
    "another service that does not answer": ({'up{job="node", instance="api-1:9100"}': "0x120"}, set()),
    "no database": ({"batchscribe_database_up": "0x120"}, {"BatchscribeDatabaseDown"}),
    "a database that restarts": ({"batchscribe_database_up": "1x59 0 1x60"}, set()),
    "a dead worker that remains": ({'batchscribe_workers{state="silent"}': "1x120"}, {"BatchscribeWorkersSilent"}),
    "a full disk": ({'batchscribe_unfit{instance="w:9464", part="decoder"}': "1x120"}, {"BatchscribeMachineUnfit"}),
    "one file in five fails": (
        {
            'batchscribe_files_total{outcome="succeeded"}': "0+8x120",
            'batchscribe_files_total{outcome="failed"}': "0+2x120",
        },
        {"BatchscribeFilesFailing"},
    ),
    "storage that hangs": (
        {'batchscribe_retries_total{what="storage"}': "0+10x120"},
        {"BatchscribeStorageUnavailable"},
    ),
    "workers that die": ({"batchscribe_reaped_workers_total": "0+1x120"}, {"BatchscribeWorkersDying"}),
    "a receiver that is down": ({"batchscribe_webhooks_oldest_seconds": "3600+60x120"}, {"BatchscribeWebhookBacklog"}),
    "a receiver that stays down": (
        {'batchscribe_webhook_attempts_total{result="gave_up"}': "0x40 1x80"},
        {"BatchscribeWebhooksLost"},
    ),
    "a kernel without Landlock": (
        {'batchscribe_confinement{instance="w:9464", child="decoder", layer="landlock"}': "0x120"},
        {"BatchscribeConfinementLost"},
    ),
    "requests that a bug makes fail": (
        {'batchscribe_http_requests_total{status="500"}': "0+1x120"},
        {"BatchscribeInternalErrors"},
    ),
}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is missing: apt-get install prometheus")
    return found


def checked(case: str) -> dict[str, Any]:
    """Return a test for promtool: after an hour, exactly the expected alerts fire."""
    changes, expected = CASES[case]
    series = {name: values for name, values in {**WELL, **changes}.items() if values is not None}
    return {
        "name": case,
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or on() vector(0)',
                "eval_time": "1h",
                "exp_samples": [{"labels": "{}", "value": int(alert in expected)}],
            }
            for alert in (each["alert"] for each in ALERTS)
        ],
    }


def test_each_alert_fires_where_it_must_and_nowhere_else(promtool: str, tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [checked(case) for case in CASES]}))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_in_some_case() -> None:
    fired = set().union(*(expected for _, expected in CASES.values()))
    assert fired == {each["alert"] for each in ALERTS}


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    for each in ALERTS:
        assert each["labels"]["severity"] in {"critical", "warning", "info"}
        assert each["annotations"].keys() == {"summary", "description"}


def test_prometheus_takes_the_configurations_of_the_document(promtool: str, tmp_path: Path) -> None:
    blocks = [block for block in code_blocks(ROOT / "docs" / "monitoring.md", "yaml") if "scrape_configs" in block]
    assert len(blocks) > 1
    file = tmp_path / "prometheus.yml"
    shutil.copy(RULES, tmp_path)
    for block in blocks:
        # Debian builds Prometheus without the discovery of Kubernetes.
        known = block.replace("kubernetes_sd_configs: [{role: pod}]", "static_configs: []")
        file.write_text(known + f"rule_files: [{RULES.name}]\n")
        done = subprocess.run([promtool, "check", "config", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        jobs = [each["job_name"] for each in yaml.safe_load(block)["scrape_configs"]]
        assert all(job.startswith("batchscribe-") for job in jobs)  # as BatchscribeProcessDown expects
