"""`batchscribe deliveries`, on a real server with a real receiver, and in the server's data directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.command import DATA, QUICK, Command, wait_until
from tests.integration.server import Server, serving
from tests.recordings import write_wav
from tests.servers.receiver import Receiver, in_turn, receiving, says


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """A server sends an event again after an hour, so that only a replay does so in a test."""
    environment = {
        "BATCHSCRIBE_AUTH": "off",
        "BATCHSCRIBE_ENGINE": "scripted",
        "BATCHSCRIBE_FILE_ROOTS": str(tmp_path),
        "BATCHSCRIBE_WEBHOOK_ALLOW_HTTP": "true",
        "BATCHSCRIBE_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        "BATCHSCRIBE_WEBHOOK_FIRST_RETRY_SEC": "3600",
    }
    return Command(tmp_path, environment)


def submit(server: Server, command: Command, told: Receiver) -> str:
    """Run a job to its end, and wait until the receiver got its event."""
    write_wav(command.folder / "calls" / "a.wav")
    job_id = server.submit(command.folder, notifications={"webhook_url": told.url()})
    server.wait(job_id)
    wait_until(lambda: bool(server.get(f"/jobs/{job_id}/deliveries")["deliveries"][0]["attempts"]))
    return job_id


def state(command: Command, job_id: str, *place: str) -> str:
    (event,) = command.run("deliveries", "list", job_id, "--json", *place).json()["deliveries"]
    return str(event["state"])


def test_an_event_that_failed_is_listed_and_sent_again(command: Command) -> None:
    with receiving(in_turn(says(503), says(200))) as told, serving(command) as server:
        command.environment["BATCHSCRIBE_SERVER"] = server.url
        job_id = submit(server, command, told)
        listed = command.run("deliveries", "list", job_id)
        assert listed.status == 0, listed
        header, row = listed.out.splitlines()
        assert header.split() == ["event", "type", "created", "state", "attempts", "last", "answer"]
        event_id = row.split()[0]
        assert row.split()[1] == "job.succeeded"
        assert row.split()[4:] == ["PENDING", "1", "The", "receiver", "answered", "503."]

        replayed = command.run("deliveries", "replay", job_id, event_id)
        assert replayed.status == 0, replayed
        assert replayed.out == f"{event_id} is being sent again.\nnext: batchscribe deliveries list {job_id}\n"
        wait_until(lambda: state(command, job_id) == "DELIVERED")
        assert [json.loads(each.body)["event_id"] for each in told.requests] == [event_id] * 2
        again = command.run("deliveries", "replay", job_id, event_id, "--json")
        assert (again.status, again.json()["event_id"]) == (0, event_id)

        unknown = command.run("deliveries", "replay", job_id, "evt_0")
        assert unknown.status == 2
        hint = f"`batchscribe deliveries list {job_id}` shows its events."
        assert unknown.err == f"Error: {job_id} has no event 'evt_0'; {hint}\n"
        nothing = command.run("deliveries", "list", "job_0")
        assert (nothing.status, "There is no job job_0 at" in nothing.err) == (2, True), nothing


def test_an_event_of_a_stopped_server_is_sent_again_when_it_runs(command: Command) -> None:
    with receiving(in_turn(says(503), says(200))) as told:
        with serving(command) as server:
            job_id = submit(server, command, told)
            assert server.end() == 0
        event_id = command.run("deliveries", "list", job_id).out.splitlines()[1].split()[0]
        replayed = command.run("deliveries", "replay", job_id, event_id)
        assert replayed.status == 0, replayed
        serve = f"batchscribe serve --data-dir {command.folder / DATA}"
        assert replayed.out == f"{event_id} is sent again when the server runs: {serve}\n"
        assert len(told.requests) == 1
        with serving(command):
            wait_until(lambda: state(command, job_id) == "DELIVERED")
        assert len(told.requests) == 2


def test_events_whose_address_is_gone_are_listed_but_not_sent(command: Command) -> None:
    command.environment["BATCHSCRIBE_WEBHOOK_KEEP_SEC"] = "0"
    with receiving(says(200)) as told, serving(command) as server:
        job_id = submit(server, command, told)
        wait_until(lambda: state(command, job_id) == "DELIVERED")
        listed = command.run("deliveries", "list", job_id)
        assert "cannot be sent again, because the URL of the webhook is no longer stored" in listed.err
        event_id = listed.out.splitlines()[1].split()[0]
        for place in (["--server", server.url], []):
            refused = command.run("deliveries", "replay", job_id, event_id, *place)
            assert (refused.status, "The URL of the webhook is no longer stored" in refused.err) == (2, True), refused


def test_a_job_without_a_webhook_has_no_events(command: Command) -> None:
    write_wav(command.folder / "a.wav")
    job_id = command.run("transcribe", "a.wav", *QUICK).job_id
    listed = command.run("deliveries", "list", job_id)
    assert (listed.status, listed.out) == (0, "")
    assert listed.err.startswith(f"{job_id} has no webhook events. A job that was submitted with --webhook-url has one")
    assert command.run("deliveries", "list", job_id, "--json").json() == {"deliveries": [], "can_replay": False}
    assert command.run("deliveries", "replay", job_id, "evt_0").status == 2
