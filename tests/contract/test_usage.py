"""Progress and usage of jobs, and the usage of a tenant by day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.bodies import manifest, prefix, single
from tests.contract.client import Client
from tests.contract.conftest import client_of
from tests.contract.server import Server
from tests.servers.s3_server import S3Server


@pytest.fixture
def fresh(server: Server) -> Iterator[Client]:
    with client_of(server, server.new_key("usage-tenant")) as client:
        yield client


def test_waiting_jobs_show_their_position_among_the_jobs_of_their_tenant(idle_server: Server) -> None:
    with (
        client_of(idle_server, idle_server.new_key("waiting-tenant")) as first,
        client_of(idle_server, idle_server.new_key("waiting-neighbor")) as neighbor,
    ):
        ids = [client.submit(single()) for client in (first, neighbor, first, first)]
        mine = [first.job(job_id)["progress"]["queue_position"] for job_id in (ids[0], *ids[2:])]
        assert mine == [1, 2, 3]
        assert neighbor.job(ids[1])["progress"] == {"audio_sec_done": 0.0, "queue_position": 1}
        first.cancel(ids[0])
        assert [job["progress"].get("queue_position") for job in first.jobs()] == [2, 1, None]


def test_an_ended_job_says_what_it_cost_and_its_tenant_sees_the_sum(
    fresh: Client, moto_s3: S3Server, wav: bytes
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav, "b.wav": wav})
    jobs = [
        fresh.done(prefix(f"s3://{bucket}/", f"s3://{bucket}/out/")),
        fresh.done(manifest(f"s3://{bucket}/a.wav", f"s3://{bucket}/missing.wav", output=f"s3://{bucket}/again/")),
    ]
    assert [job["usage"]["bytes_in"] for job in jobs] == [2 * len(wav), len(wav)]
    assert all(job["progress"]["audio_sec_done"] == job["progress"]["audio_sec_total"] for job in jobs)
    usage = fresh.get("/usage")
    assert usage["total"]["files"] == 4
    for name in ("audio_sec", "compute_sec", "bytes_in"):
        assert usage["total"][name] == pytest.approx(sum(job["usage"][name] for job in jobs), abs=0.01)
    assert sum(day["files"] for day in usage["days"]) == 4
    assert fresh.but(base="/aiservices/scribe").get("/usage") in (usage, fresh.get("/usage"))  # of the same day


def test_a_tenant_sees_only_its_own_usage(fresh: Client, server: Server) -> None:
    with client_of(server, server.new_key("usage-stranger")) as stranger:
        usage = stranger.get("/usage")
    assert (usage["days"], usage["total"]["files"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"from": "2026-05-02", "to": "2026-05-01"}, "from"),
    ],
)
def test_days_that_make_no_sense_are_refused(fresh: Client, query: dict[str, Any], field: str) -> None:
    refused = fresh.get("/usage", 400, **query)
    assert [mistake["field"] for mistake in refused["errors"]] == [field]


def test_empty_days_are_the_default_and_early_ones_are_answered(fresh: Client) -> None:
    empty: dict[str, Any] = {"from": "", "to": ""}
    before, answered, after = fresh.get("/usage"), fresh.get("/usage", **empty), fresh.get("/usage")
    assert answered in (before, after)  # of the same day
    assert fresh.get("/usage", to="0001-01-01")["from"] == "0001-01-01"
