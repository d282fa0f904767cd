"""`batchscribe jobs` as a person runs it, against a server that follows the contract."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command import Command, Result, wait_until
from tests.servers.scripted import Asked, Reply, ScriptedServer, scripted_server

ROUTES = "/v2/aiservices/scribe"
UNAUTHORIZED = {"code": 124, "reason": "INVALID_ACCESS_TOKEN", "message": "Invalid Access token"}
SUBMITTED_AT = "2026-11-24T12:00:00Z"
DRY_RUN = {
    "dry_run": True, "complete": False, "matched": 12, "skipped": 1, "excluded": 2, "bytes": 3 * 2**20,
    "estimated_audio_hours": 1.24, "warnings": ["3 outputs get another name."], "input": {}, "output": {}, "config": {},
    "planned": [{"input_uri": f"s3://calls/{n}.wav", "output_uri": f"s3://out/{n}.json"} for n in range(12)],
}  # fmt: skip


def a_job(number: int, *, state: str = "SUCCEEDED", **counters: int) -> dict[str, Any]:
    summary = dict.fromkeys(("total_files", "queued", "processing", "succeeded", "failed", "skipped", "canceled"), 0)
    return {
        "job_id": f"job_{number}", "state": state, "submitted_at": SUBMITTED_AT, "reference_id": f"ref-{number}",
        "input": {"mode": "PREFIX", "source": "S3", "uri": "s3://calls/"},
        "output": {"destination": "S3", "uri": "s3://out/", "layout": "PREFIX", "overwrite": False},
        "config": {"language": "en-US"}, "summary": summary | counters, "error": None,
    }  # fmt: skip


def a_file(number: int, *, failed: bool = False) -> dict[str, Any]:
    return {
        "file_id": f"f_{number:06}", "input_uri": f"s3://calls/{number}.wav",
        "output_uri": "" if failed else f"s3://out/{number}.json",
        "state": "FILE_FAILED" if failed else "FILE_SUCCEEDED",
        **({} if failed else {"duration_sec": 12.5}),
        "error": {"code": "CORRUPT_MEDIA", "message": "It is cut off."} if failed else None,
    }  # fmt: skip


class Service:
    """A server with three jobs: one runs, one succeeded, one is partial with a failure among 250 files."""

    def __init__(self) -> None:
        self.jobs = {
            "job_3": a_job(3, state="PROCESSING", total_files=4, processing=3, succeeded=1),
            "job_2": a_job(2, state="PARTIAL", total_files=250, succeeded=249, failed=1),
            "job_1": a_job(1, total_files=2, succeeded=2),
        }
        self.files = [a_file(number, failed=number == 7) for number in range(1, 251)]
        self.lost_answers = 0  #: requests that get no answer

    def __call__(self, asked: Asked) -> Reply:
        if self.lost_answers:
            self.lost_answers -= 1
            return Reply(hang_up=True)
        if asked.headers.get("authorization") != "Bearer right":
            return Reply(401, UNAUTHORIZED)
        match asked.method, asked.path.removeprefix(f"{ROUTES}/").split("/"):
            case "POST", ["jobs"]:
                return self._submit(asked)
            case "GET", ["jobs"]:
                return self._page("jobs", list(self.jobs.values()), asked, usual=2)
            case "GET", ["jobs", job_id, "files"] if job_id in self.jobs:
                state = asked.query.get("state")
                files = [file for file in self.files if state in (None, file["state"])]
                return self._page("files", files, asked, usual=200)
            case "GET", ["jobs", job_id] if job_id in self.jobs:
                return Reply(200, self.jobs[job_id])
            case "DELETE", ["jobs", job_id] if job_id in self.jobs:
                return self._cancel(self.jobs[job_id])
        return Reply(404, {"code": 404, "reason": "JOB_NOT_FOUND", "message": "There is no such job."})

    def _submit(self, asked: Asked) -> Reply:
        if asked.query.get("dry_run") == "true":
            return Reply(200, DRY_RUN)
        if "uri" not in asked.json()["output"]:
            errors = [{"field": "output.uri", "message": "output.uri is required."}]
            body = {"code": 300, "reason": "VALIDATION_FAILED", "message": "Validation Failed.", "errors": errors}
            return Reply(400, body)
        return Reply(201, {"job_id": "job_1", "state": "QUEUED", "submitted_at": SUBMITTED_AT})

    @staticmethod
    def _page(name: str, items: list[dict[str, Any]], asked: Asked, *, usual: int) -> Reply:
        start, size = int(asked.query.get("next_page_token", 0)), int(asked.query.get("page_size", usual))
        token = str(start + size) if start + size < len(items) else ""
        return Reply(200, {name: items[start : start + size], "next_page_token": token})

    @staticmethod
    def _cancel(job: dict[str, Any]) -> Reply:
        if job["state"] not in ("QUEUED", "PROCESSING"):
            return Reply(400, {"code": 400, "reason": "JOB_NOT_CANCELABLE", "message": f"{job['job_id']} has ended."})
        job["state"] = "CANCELED"
        return Reply(204)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[ScriptedServer]:
    with scripted_server(service) as started:
        yield started


@pytest.fixture
def command(tmp_path: Path, server: ScriptedServer) -> Command:
    """A command that has server and key in its environment."""
    return Command(tmp_path, {"BATCHSCRIBE_SERVER": server.url, "BATCHSCRIBE_API_KEY": "right"})


def refused(result: Result, status: int = 2) -> str:
    """Return the one sentence on standard error."""
    assert result.status == status, result
    assert result.out == ""
    (line,) = result.err.splitlines()
    return line


def test_list_reads_all_pages_up_to_the_limit(command: Command) -> None:
    assert [job["job_id"] for job in command.run("jobs", "list", "--json").json()["jobs"]] == [
        "job_3",
        "job_2",
        "job_1",
    ]
    header, first = command.run("jobs", "list", "--limit", "1").out.splitlines()
    assert header.split() == ["job", "submitted", "state", "files", "failed", "reference"]
    assert first.split()[0] == "job_3"
    assert first.split()[-6:] == ["PROCESSING", "1", "of", "4", "0", "ref-3"]


def test_show_prints_failures_for_people_and_every_file_for_scripts(command: Command) -> None:
    told = command.run("jobs", "show", "job_2")
    assert told.status == 0, told
    assert "Failed: s3://calls/7.wav: CORRUPT_MEDIA: It is cut off.\n" in told.out
    assert (
        told.counters().items()
        >= {"job": "job_2", "state": "PARTIAL", "failed": "1", "transcripts": "s3://out/"}.items()
    )
    body = command.run("jobs", "show", "job_2", "--json").json()
    assert body["summary"]["total_files"] == 250
    assert [file["file_id"] for file in body["files"]] == [f"f_{number:06}" for number in range(1, 251)]


def test_files_are_listed_one_per_line_with_their_errors(command: Command, server: ScriptedServer) -> None:
    lines = command.run("jobs", "files", "job_2").out.splitlines()
    assert len(lines) == 251
    assert lines[0].split() == ["file", "state", "duration", "input", "output", "or", "error"]
    assert lines[1].split() == ["f_000001", "FILE_SUCCEEDED", "12", "s", "s3://calls/1.wav", "s3://out/1.json"]
    assert lines[7].split()[:3] == ["f_000007", "FILE_FAILED", "s3://calls/7.wav"]
    assert lines[7].endswith("  CORRUPT_MEDIA: It is cut off.")
    server.asked.clear()
    failed = command.run("jobs", "files", "job_2", "--state", "FILE_FAILED", "--limit", "5", "--json").json()
    assert [file["file_id"] for file in failed["files"]] == ["f_000007"]
    assert [asked.query for asked in server.asked] == [{"state": "FILE_FAILED", "page_size": "5"}]


def test_a_job_without_such_files_is_an_empty_list(command: Command) -> None:
    result = command.run("jobs", "files", "job_2", "--state", "FILE_SKIPPED", "--json")
    assert result.out == '{\n  "files": []\n}\n'


def test_cancel_keeps_what_is_done_and_says_when_a_job_had_ended(command: Command, service: Service) -> None:
    result = command.run("jobs", "cancel", "job_3")
    assert (result.status, result.out) == (0, "job_3 is canceled; 1 transcripts are kept.\n")
    assert service.jobs["job_3"]["state"] == "CANCELED"
    assert refused(command.run("jobs", "cancel", "job_1"), status=1) == "job_1 has ended."


@pytest.mark.parametrize(("job_id", "status"), [("job_1", 0), ("job_2", 1)])
def test_wait_ends_with_the_job_and_its_status(command: Command, job_id: str, status: int) -> None:
    result = command.run("jobs", "wait", job_id)
    assert result.status == status, result
    assert result.counters()["job"] == job_id
    assert " files" in result.err


def test_wait_ends_when_its_timeout_expires(command: Command) -> None:
    result = command.run("jobs", "wait", "job_3", "--timeout", "0.1", "--json")
    assert result.status == 3
    assert result.json()["state"] == "PROCESSING"
    assert result.err == "PROCESSING: 1 of 4 files\njob_3 has not ended within 0.1 s; it continues.\n"


def test_wait_survives_lost_answers_until_the_job_ends(command: Command, service: Service) -> None:
    with command.started("jobs", "wait", "job_3") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "PROCESSING: 1 of 4 files\n"
        service.lost_answers = 3
        wait_until(lambda: not service.lost_answers)
        service.jobs["job_3"] = a_job(3, total_files=4, succeeded=4)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err == "SUCCEEDED: 4 of 4 files\n"
    assert "state: SUCCEEDED\n" in out


def test_wait_can_be_interrupted_and_the_job_continues(command: Command, server: ScriptedServer) -> None:
    result = command.signaled(signal.SIGINT, "jobs", "wait", "job_3", when=lambda: bool(server.asked))
    assert result.status == 130, result
    assert "Traceback" not in result.err
    assert {asked.method for asked in server.asked} == {"GET"}


def test_a_person_sees_one_line_that_changes(command: Command) -> None:
    status, sent = command.at_terminal("jobs", "wait", "job_2")
    assert status == 1
    assert "PARTIAL: 250 of 250 files, 1 failed" in sent
    assert "CORRUPT_MEDIA" in sent


def test_submit_sends_the_options_and_prints_the_next_command(command: Command, server: ScriptedServer) -> None:
    secrets = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "s3cret", "BATCHSCRIBE_WEBHOOK_SECRET": "hush"}
    command.environment.update(secrets)
    words = (
        "s3://calls/",
        "--output",
        "s3://out/",
        "--words",
        "--webhook-url",
        "https://host/",
        "--server",
        server.url,
    )
    result = command.run("jobs", "submit", *words)
    assert result.status == 0, result
    assert result.out == f"job: job_1\nnext: batchscribe jobs wait job_1 --server {server.url}\n"
    (asked,) = server.asked
    auth = {"aws": {"access_key_id": "id", "secret_access_key": "s3cret"}}
    assert asked.json() == {
        "input": {"uri": "s3://calls/", "auth": auth},
        "output": {"uri": "s3://out/", "auth": auth},
        "config": {"word_time_offsets": True},
        "notifications": {"webhook_url": "https://host/", "secret": "hush"},
    }


def test_submit_asks_for_the_detection_of_the_language(command: Command, server: ScriptedServer) -> None:
    words = ("jobs", "submit", "s3://calls/a.wav", "-o", "s3://out/")
    assert command.run(*words, "--language", "auto").status == 0
    assert command.run(*words, "--language", "de", "--language-detection", "continuous").status == 0
    assert [asked.json()["config"] for asked in server.asked] == [
        {"language_detection": {"mode": "once"}},
        {"language": "de", "language_detection": {"mode": "continuous"}},
    ]


def test_submit_as_json_is_the_server_s_answer(command: Command, server: ScriptedServer) -> None:
    words = ("s3://calls/a.wav", "-o", "s3://out/", "--json", "--idempotency-key", "mine")
    body = command.run("jobs", "submit", *words).json()
    assert body == {"job_id": "job_1", "state": "QUEUED", "submitted_at": SUBMITTED_AT}
    assert server.asked[0].headers["idempotency-key"] == "mine"


def test_submit_survives_a_lost_answer(command: Command, service: Service, server: ScriptedServer) -> None:
    service.lost_answers = 1
    assert command.run("jobs", "submit", "s3://calls/", "-o", "s3://out/").status == 0
    first, second = server.asked
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_submit_sends_a_request_of_ones_own_as_it_is(command: Command, server: ScriptedServer) -> None:
    body = {"input": {"uri": "s3://ä/", "made_up": 1}, "output": {"uri": "s3://out/"}}
    (command.folder / "job.json").write_text(json.dumps(body))
    assert command.run("jobs", "submit", "--request", "job.json").status == 0
    assert server.asked[0].json() == body


def test_submit_and_wait_ends_with_the_job(command: Command) -> None:
    result = command.run("jobs", "submit", "s3://calls/", "-o", "s3://out/", "--wait", "--json")
    assert result.status == 0, result
    assert result.json()["state"] == "SUCCEEDED"
    assert result.err.startswith("job: job_1\n")


def test_a_dry_run_shows_counts_the_first_transcripts_and_warnings(command: Command, server: ScriptedServer) -> None:
    words = ("s3://calls/", "-o", "s3://out/", "--dry-run")
    result = command.run("jobs", "submit", *words)
    assert result.status == 0, result
    assert result.out.count(" -> s3://out/") == 10
    assert "s3://calls/0.wav -> s3://out/0.json\n" in result.out
    assert "... and 2 more\n" in result.out
    assert "Warning: 3 outputs get another name.\n" in result.out
    assert result.counters().items() >= {"matched": "at least 12", "size": "at least 3.0 MiB"}.items()
    assert result.counters()["audio"] == "at least about 74 min"
    assert command.run("jobs", "submit", *words, "--json").json() == DRY_RUN
    assert {asked.query["dry_run"] for asked in server.asked} == {"true"}


def test_a_rejected_request_is_reported_with_its_fields(command: Command) -> None:
    result = command.run("jobs", "submit", "s3://calls/", "--layout", "adjacent")
    assert refused(result).endswith(" refused: Validation Failed. output.uri is required.")


@pytest.mark.parametrize("words", [["show", "job_9"], ["files", "job_9"], ["wait", "job_9"], ["cancel", "job_9"]])
def test_an_unknown_job_is_reported_with_the_server_and_the_next_step(
    command: Command, server: ScriptedServer, words: list[str]
) -> None:
    told = refused(command.run("jobs", *words))
    assert told == f"Error: There is no job job_9 at {server.url}; `batchscribe jobs list` shows all jobs."


def test_a_wrong_key_and_a_missing_key_have_different_messages(command: Command, server: ScriptedServer) -> None:
    command.environment["BATCHSCRIBE_API_KEY"] = "wrong"
    told = refused(command.run("jobs", "list", "--json"))
    both = "BATCHSCRIBE_API_KEY and BATCHSCRIBE_API_SECRET"
    assert told == f"Error: {server.url} does not accept the API key (Invalid Access token); check {both}."
    del command.environment["BATCHSCRIBE_API_KEY"]
    assert f"{server.url} asks for an API key; set {both}" in refused(command.run("jobs", "show", "job_1"))


def test_a_server_that_is_not_running_is_reported(command: Command, server: ScriptedServer) -> None:
    url = server.url
    server.shutdown()
    server.server_close()
    told = refused(command.run("jobs", "wait", "job_1"), status=1)
    assert f"{url} cannot be reached" in told
    assert "check the address, and that `batchscribe serve` runs there" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["list", "--server", "host"], "'host' is not a server URL; write it like http://host:8080"),
        (["list", "--server", "http://a", "--data-dir", "b"], "--server and --data-dir cannot be combined"),
        (["submit", "s3://calls/", "-o", "s3://out/", "--dry-run", "--wait"], "--dry-run creates no job"),
        (["submit", "s3://calls/", "--request", "-"], "--request contains the whole job"),
        (["show", ""], "'' is not a job or file ID"),
        (["show", ".."], "'..' is not a job or file ID"),
    ],
)
def test_invalid_commands_are_rejected_before_any_request(
    command: Command, server: ScriptedServer, words: list[str], told: str
) -> None:
    assert told in refused(command.run("jobs", *words))
    assert server.asked == []


def test_submit_without_a_server_says_how_to_name_one(tmp_path: Path) -> None:
    told = refused(Command(tmp_path).run("jobs", "submit", "s3://calls/", "-o", "s3://out/"))
    assert "--server URL" in told
    assert "BATCHSCRIBE_SERVER" in told


def test_a_data_directory_that_is_named_wins_over_the_server_of_the_environment(
    command: Command, server: ScriptedServer
) -> None:
    assert command.run("jobs", "list", "--data-dir", "data", "--json").json() == {"jobs": []}
    assert server.asked == []
