"""`batchscribe serve` and `batchscribe keys`: starting, stopping, dying, and starting again."""

from __future__ import annotations

import json
import shutil
import signal
import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import pytest

from tests.integration.command import Command, wait_until
from tests.integration.server import END_SEC, PREFIX, serving
from tests.recordings import write_wav

FILES = 40
SLOW_FILES = 4
GRACE_SEC = 200  #: for a busy machine; usually some seconds
DATE_IS_TRUE_SEC = 30.0


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """A command without authentication and with invented words, which may use `tmp_path`."""
    return Command(
        tmp_path,
        {"BATCHSCRIBE_AUTH": "off", "BATCHSCRIBE_ENGINE": "scripted", "BATCHSCRIBE_FILE_ROOTS": str(tmp_path)},
    )


@pytest.fixture
def slow(tmp_path: Path, examples: Path) -> Command:
    """Four recordings that take the real engine some seconds each, one at a time."""
    (tmp_path / "calls").mkdir()
    for number in range(SLOW_FILES):
        shutil.copy(examples / "shopping.mp3", tmp_path / "calls" / f"{number}.mp3")
    environment = {
        "BATCHSCRIBE_AUTH": "off",
        "BATCHSCRIBE_ENGINE": "pocketsphinx",
        "BATCHSCRIBE_FILE_ROOTS": str(tmp_path),
        "BATCHSCRIBE_ENGINE_PROCESSES": "1",
    }
    return Command(tmp_path, environment)


def write_calls(folder: Path, count: int = FILES) -> None:
    for number in range(count):
        write_wav(folder / "calls" / f"{number:03}.wav", duration_sec=0.5, seed=number)


def test_a_job_is_done_and_sigterm_ends_the_server_with_status_0(command: Command) -> None:
    write_calls(command.folder, 3)
    with serving(command) as server:
        server.wait(server.submit(command.folder))
        assert len(list((command.folder / "out").glob("*.json"))) == 3
        assert server.end() == 0


def test_an_idle_server_knows_what_time_it_is(command: Command) -> None:
    with serving(command, "--no-worker") as server:
        first = date_of_answer(server.url)
        wait_until(lambda: date_of_answer(server.url) != first)
        assert abs((datetime.now(UTC) - date_of_answer(server.url)).total_seconds()) < DATE_IS_TRUE_SEC


def date_of_answer(url: str) -> datetime:
    return parsedate_to_datetime(httpx2.get(f"{url}/healthz").headers["date"])


@pytest.mark.timeout(900)
def test_running_files_are_finished_before_the_server_ends(slow: Command) -> None:
    slow.environment["BATCHSCRIBE_GRACE_SEC"] = str(GRACE_SEC)
    with serving(slow) as server:
        job_id = server.submit(slow.folder, config={})
        wait_until(lambda: server.job(job_id)["summary"]["processing"] == 2)
        assert server.end(GRACE_SEC) == 0
    done = len(list((slow.folder / "out").glob("*.json")))
    assert 2 <= done < SLOW_FILES, "a file may have been done, and another begun, before the signal came"
    with serving(slow) as server:
        server.wait(job_id)
        assert server.end() == 0


@pytest.mark.timeout(900)
def test_after_the_grace_time_unfinished_files_go_back_and_cost_no_attempt(slow: Command) -> None:
    slow.environment["BATCHSCRIBE_GRACE_SEC"] = "0"
    slow.environment["BATCHSCRIBE_MAX_ATTEMPTS"] = "1"
    with serving(slow) as server:
        job_id = server.submit(slow.folder, config={})
        wait_until(lambda: server.job(job_id)["summary"]["processing"] == 2)
        assert server.end() == 0
        assert server.process.stderr is not None
        assert "grace time is over" in server.process.stderr.read()
    with serving(slow) as server:
        server.wait(job_id)
        assert server.end() == 0


def test_a_killed_server_resumes_after_a_restart(command: Command) -> None:
    write_calls(command.folder)
    with serving(command) as server:
        job_id = server.submit(command.folder)
        wait_until(lambda: server.job(job_id)["summary"]["succeeded"] >= 1)
        server.process.kill()
        server.process.wait()
    with serving(command) as server:
        server.wait(job_id)
        assert server.job(job_id)["summary"]["succeeded"] == FILES
        assert server.end() == 0


def test_a_server_without_a_worker_takes_jobs_that_another_one_does(command: Command) -> None:
    write_calls(command.folder, 3)
    with serving(command, "--no-worker") as front:
        job_id = front.submit(command.folder)
        assert front.job(job_id)["state"] == "QUEUED"
        with serving(command) as worker:
            front.wait(job_id)
            assert worker.end() == 0
        assert front.end() == 0


def test_a_second_signal_ends_a_server_that_is_still_finishing(slow: Command) -> None:
    with serving(slow) as server:
        job_id = server.submit(slow.folder, config={})
        wait_until(lambda: server.job(job_id)["summary"]["processing"] == 2)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not _answers(server.url))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(END_SEC) == 128 + signal.SIGTERM


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def test_two_servers_with_workers_do_not_share_a_data_directory(command: Command) -> None:
    with serving(command) as server:
        second = command.run("serve", "--port", "0")
        assert second.status == 2
        assert "Another batchscribe process" in second.err
        assert server.end() == 0


def test_a_port_in_use_is_reported_by_its_number(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = command.run("serve", "--port", port)
    assert refused.status == 2
    assert (
        f"Cannot listen on 127.0.0.1 port {port} (Address already in use); choose another with --port." in refused.err
    )


def test_without_keys_only_a_loopback_address_is_served(command: Command) -> None:
    refused = command.run("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - it must be refused
    assert refused.status == 2
    assert "BATCHSCRIBE_AUTH=off" in refused.err


@pytest.mark.parametrize("rate", ["fast", "30 a fortnight", "-1/second"])
def test_an_invalid_rate_is_rejected_at_the_start(command: Command, rate: str) -> None:
    command.environment["BATCHSCRIBE_RATE_LIMIT"] = rate
    refused = command.run("serve", "--port", "0")
    assert refused.status == 2
    assert "BATCHSCRIBE_RATE_LIMIT" in refused.err


def test_a_server_without_any_key_says_how_to_make_one(command: Command) -> None:
    command.environment["BATCHSCRIBE_AUTH"] = "on"
    with serving(command) as server:
        assert server.end() == 0
        assert server.process.stderr is not None
        assert "batchscribe keys create --tenant" in server.process.stderr.read()


def test_a_key_is_made_listed_and_revoked_while_the_server_runs(command: Command) -> None:
    command.environment["BATCHSCRIBE_AUTH"] = "on"
    made = command.run("keys", "create", "--tenant", "acme", "--json").json()
    with serving(command) as server:
        assert status_with(server.url, made["api_secret"]) == 200
        assert status_with(server.url, made["api_key"]) == 401
        listed = command.run("keys", "list", "--json").json()["keys"]
        assert [(key["api_key"], key["tenant"]) for key in listed] == [(made["api_key"], "acme")]
        assert made["api_secret"] not in json.dumps(listed)
        assert command.run("keys", "revoke", made["api_key"]).status == 0
        assert status_with(server.url, made["api_secret"]) == 401
        assert server.end() == 0
    assert "revoked_at" in command.run("keys", "list", "--json").json()["keys"][0]


def status_with(url: str, secret: str) -> int:
    return httpx2.get(f"{url}{PREFIX}/jobs", headers={"Authorization": f"Bearer {secret}"}).status_code


@pytest.mark.parametrize("tenant", ["", "a b", "-a", "a/b", "x" * 65])
def test_a_tenant_has_a_name_that_can_be_written_anywhere(command: Command, tenant: str) -> None:
    refused = command.run("keys", "create", "--tenant", tenant)
    assert refused.status == 2
    assert "--tenant" in refused.err


def test_a_key_that_does_not_exist_cannot_be_revoked(command: Command) -> None:
    refused = command.run("keys", "revoke", "bk_nobody")
    assert refused.status == 2
    assert "bk_nobody" in refused.err
