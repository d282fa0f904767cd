"""`/metrics` of a running server: its values after work, and who may read them."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contract.bodies import manifest
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.integration.command import wait_until_equal
from tests.servers.s3_server import S3Server

#: Name and labels to value.
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

REQUESTS = "batchscribe_http_requests_total"
LATENCY = "batchscribe_http_request_duration_seconds_count"
STAGES = "batchscribe_stage_seconds_count"


def scraped(client: Client) -> Samples:
    families = text_string_to_metric_families(client.call_at("GET", "/metrics", 200).content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def rise(before: Samples, after: Samples, name: str, **labels: str) -> float:
    return value(after, name, **labels) - value(before, name, **labels)


def test_a_job_is_seen_in_the_numbers_and_none_of_its_names(
    alice: Client, nobody: Client, moto_s3: S3Server, wav: bytes
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    before = scraped(nobody)
    job = alice.done(manifest(f"s3://{bucket}/a.wav", f"s3://{bucket}/none.wav", output=f"s3://{bucket}/out/"))
    counted = {
        ("batchscribe_files_total", "outcome", "succeeded"): 1,
        ("batchscribe_files_total", "outcome", "failed"): 1,
        ("batchscribe_file_errors_total", "code", "OBJECT_NOT_FOUND"): 1,
        ("batchscribe_jobs_total", "state", "partial"): 1,
    }
    counted |= {(STAGES, "stage", stage): 1 for stage in ("decode", "transcribe", "write")}
    counted |= {(STAGES, "stage", stage): 2 for stage in ("read", "commit")}

    def found() -> dict[tuple[str, str, str], float]:
        after = scraped(nobody)
        return {(name, label, told): rise(before, after, name, **{label: told}) for name, label, told in counted}

    wait_until_equal(found, counted)  # a job is counted after its end is recorded
    after = scraped(nobody)
    assert rise(before, after, "batchscribe_audio_seconds_total", outcome="succeeded") == pytest.approx(1.0, abs=0.01)
    assert value(after, "batchscribe_engine_processes", engine="scripted") == 2
    assert value(after, "batchscribe_database_up") == 1
    text = nobody.call_at("GET", "/metrics", 200).content.decode()
    for told in (job["job_id"], bucket, "f_00", "a.wav"):
        assert told not in text


def test_the_backlog_is_counted_per_tenant_until_it_is_canceled(idle_server: Server, moto_s3: S3Server) -> None:
    with client_of(idle_server, idle_server.new_key("waiting")) as client:
        job_id = client.submit(manifest("s3://calls/a.wav"))
        found = scraped(client)
        assert value(found, "batchscribe_queue_jobs", tenant="waiting") == 1
        assert 0 <= value(found, "batchscribe_queue_oldest_seconds", tenant="waiting") < 60
        client.cancel(job_id)
        assert ("batchscribe_queue_jobs", frozenset({("tenant", "waiting")})) not in scraped(client)


def test_requests_are_counted_by_the_template_of_their_path(alice: Client, nobody: Client) -> None:
    route = "/jobs/{job_id}"
    before = scraped(nobody)
    for _ in range(3):
        alice.call("GET", "/jobs/job_none", 404)
    nobody.call("GET", "/jobs/job_none", 401)
    nobody.call_at("GET", "/favicon.ico", 404)

    def rises() -> list[float]:
        after = scraped(nobody)
        ends = ((route, "404"), (route, "401"), ("other", "404"))
        counted = [rise(before, after, REQUESTS, method="GET", route=each, status=status) for each, status in ends]
        return [*counted, rise(before, after, LATENCY, method="GET", route=route)]

    wait_until_equal(rises, [3, 1, 1, 4])  # a request is counted after its answer is sent


def test_methods_that_clients_make_up_add_no_series(nobody: Client) -> None:
    before = scraped(nobody)
    for method in ("BREW", "WHEN"):
        nobody.call(method, "/jobs", 405)
    labels = {"method": "other", "route": "/jobs", "status": "405"}
    wait_until_equal(lambda: rise(before, scraped(nobody), REQUESTS, **labels), 2)


def test_a_client_of_a_proxy_outside_the_networks_finds_no_such_route(nobody: Client) -> None:
    unknown = nobody.call_at("GET", "/no-such-route", 404)
    for headers in (
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "10.0.0.5, 203.0.113.9"},
        {"X-Forwarded-For": "203.0.113.9, 10.0.0.5"},
        {"X-Forwarded-For": "10.0.0.5", "Forwarded": "for=203.0.113.9"},
        {"X-Forwarded-For": "somebody"},
    ):
        refused = nobody.call_at("GET", "/metrics", 404, headers=headers)
        assert refused.content == unknown.content, headers
    nobody.call_at("GET", "/metrics", 200, headers={"X-Forwarded-For": "10.0.0.5"})


def test_the_operator_decides_which_networks_see_metrics(start_server: StartServer) -> None:
    strict = start_server("--no-worker", BATCHSCRIBE_METRICS_ALLOW_NETWORKS="192.0.2.0/24")
    with Client(strict.url) as client:
        client.call_at("GET", "/metrics", 404)
        client.call_at("GET", "/healthz", 200)


def test_a_server_without_authentication_shows_metrics_under_local_names_only(anyone: Client) -> None:
    assert value(scraped(anyone), "batchscribe_database_up") == 1
    anyone.call_at("GET", "/metrics", 401, headers={"Host": "rebound.example"})


def test_metrics_are_not_part_of_the_interface(nobody: Client) -> None:
    assert "/metrics" not in nobody.call_at("GET", "/openapi.json", 200).body["paths"]


def test_a_scraper_that_asks_for_openmetrics_gets_it(nobody: Client) -> None:
    plain = nobody.call_at("GET", "/metrics", 200)
    assert plain.headers["content-type"].startswith("text/plain; version=")
    asked = nobody.call_at("GET", "/metrics", 200, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert asked.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert re.search(rb"^# EOF$", asked.content, re.MULTILINE)
