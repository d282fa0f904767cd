"""Storage that does not answer delays only the requests that need it, and not for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.contract.bodies import single
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Server
from tests.contract.visitor import Visitor
from tests.servers.bucket import serving_bucket
from tests.servers.scripted import Asked, Reply

LISTENERS = 12  #: more than a tenant's requests may read at once


@pytest.fixture
def hanging() -> Event:
    """Once it is set, the storage accepts connections but sends nothing."""
    return Event()


@pytest.fixture
def hanging_server(start_server: StartServer, hanging: Event) -> Iterator[Server]:
    ended = Event()

    def hang(_asked: Asked) -> Reply | None:
        return None if not hanging.is_set() or ended.wait(120) else Reply(500)

    with serving_bucket({}, hang) as bucket:
        yield start_server(BATCHSCRIBE_S3_ENDPOINT=bucket.endpoint)
        ended.set()


def test_other_tenants_are_answered_at_once_and_the_reader_gets_an_error(
    hanging_server: Server, hanging: Event
) -> None:
    alice, bob = hanging_server.new_key("alice"), hanging_server.new_key("bob")
    with client_of(hanging_server, alice) as client:
        job_id = client.done(single("s3://bucket/a.wav", "s3://bucket/a.json"))["job_id"]  # there is no such recording
        hanging.set()
        audio = f"/jobs/{job_id}/files/f_000001/audio"
        with (
            Visitor.signed_in(hanging_server, alice) as listening,
            Visitor.signed_in(hanging_server, bob) as other,
            client_of(hanging_server, bob) as others_client,
            ThreadPoolExecutor(LISTENERS) as threads,
        ):
            waiting = [threads.submit(listening.ask, "GET", audio) for _ in range(LISTENERS)]
            time.sleep(1)
            for _ in range(2):
                other.get("/")
                others_client.get("/jobs")
                client.get("/jobs")
            assert not all(each.done() for each in waiting), "the others waited for the storage"
            answers = [each.result(timeout=60) for each in waiting]
    reasons = {(answer.status_code, answer.json()["reason"]) for answer in answers}
    assert reasons <= {(503, "STORAGE_UNREACHABLE"), (429, "RATE_LIMITED")}
    assert (503, "STORAGE_UNREACHABLE") in reasons
