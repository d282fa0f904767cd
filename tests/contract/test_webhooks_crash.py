"""A stored webhook is sent, whatever happens to the server before (contract 3)."""

from __future__ import annotations

import socket

import pytest

from tests.contract.bodies import WEBHOOK_SECRET, hook, single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.receiver import running_receiver
from tests.contract.server import Server
from tests.servers.s3_server import S3Server


@pytest.fixture(scope="module")
def own_server(start_server: StartServer) -> Server:
    return start_server()


def test_an_event_survives_a_killed_server_while_its_receiver_is_down(
    own_server: Server, moto_s3: S3Server, wav: bytes
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    body = single(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.json", notifications=hook(f"http://127.0.0.1:{port}/late"))
    key = own_server.new_key("unlucky")
    with client_of(own_server, key) as client:
        job = client.done(body)
    own_server.kill()
    own_server.start()
    with running_receiver(port, "/late") as receiver, client_of(own_server, key) as client:
        delivery = receiver.hooks["/late"].wait_for(1)[0]
        assert_the_same(client, delivery.body["job"], job)
    assert delivery.is_signed_with(WEBHOOK_SECRET)


def assert_the_same(client: Client, told: object, job: dict[str, object]) -> None:
    assert told == job == client.job(str(job["job_id"]))


def test_an_event_of_a_server_that_was_stopped_is_sent_by_the_next(
    own_server: Server, moto_s3: S3Server, wav: bytes
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    body = single(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.json", notifications=hook(f"http://127.0.0.1:{port}/late"))
    with client_of(own_server, own_server.new_key("patient")) as client:
        client.done(body)
    assert own_server.stop() == 0
    own_server.start()
    with running_receiver(port, "/late") as receiver:
        assert receiver.hooks["/late"].wait_for(1)[0].is_signed_with(WEBHOOK_SECRET)
