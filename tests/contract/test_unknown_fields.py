"""Unknown fields and query parameters: accepted, but reported to the client and in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchscribe import Client as PythonClient
from tests.contract.bodies import MARKS, aws, changed, manifest, single
from tests.contract.client import Answer, Client
from tests.contract.server import Server
from tests.contract.strict import Json
from tests.integration.command import Command, wait_until
from tests.recordings import write_wav
from tests.servers.s3_server import S3Server

EVENT = "request.unknown_fields"
MISSPELLED = {"config.lang": "de-DE", "input.include": ["*.wav"]}
WARNINGS = [
    "input.include is not a known field, so it has no effect. Did you mean input.filters.include_globs?",
    "config.lang is not a known field, so it has no effect. Did you mean config.language?",
]


def line_of(server: Server, answer: Answer, event: str) -> Json | None:
    tracking_id = answer.headers["x-zm-trackingid"]
    lines = [line for line in server.log_lines() if line.get("tracking_id") == tracking_id and line["event"] == event]
    assert len(lines) <= 1, lines
    return lines[0] if lines else None


def logged(server: Server, answer: Answer, event: str = EVENT) -> Json:
    wait_until(lambda: line_of(server, answer, event) is not None)
    line = line_of(server, answer, event)
    assert line is not None
    return line


def test_a_submission_is_accepted_with_warnings_and_one_log_line(idle_server: Server, idle: Client) -> None:
    answer = idle.call("POST", "/jobs", 201, json=changed(single(), MISSPELLED))
    assert answer.body["warnings"] == WARNINGS
    line = logged(idle_server, answer)
    assert line["level"] == "warning"
    assert (line["fields"], line["total"]) == (["input.include", "config.lang"], 2)
    assert line["job_id"] == answer.body["job_id"]
    assert "de-DE" not in str(line)


def test_a_request_of_known_fields_has_neither(idle_server: Server, idle: Client) -> None:
    answer = idle.call("POST", "/jobs", 201, json=single(config={"experimental_feature": {"model_pro": True}}))
    assert "warnings" not in answer.body
    logged(idle_server, answer, "request")
    assert line_of(idle_server, answer, EVENT) is None


def test_the_same_key_returns_the_same_warnings(idle: Client) -> None:
    body, headers = changed(single(), MISSPELLED), {"Idempotency-Key": "misspelled"}
    first = idle.call("POST", "/jobs", 201, json=body, headers=headers)
    assert idle.call("POST", "/jobs", 201, json=body, headers=headers).body == first.body


def test_a_dry_run_warns_and_logs_nothing(server: Server, alice: Client, moto_s3: S3Server, wav: bytes) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    body = changed(manifest(f"s3://{bucket}/a.wav", f"s3://{bucket}/a.wav"), MISSPELLED)
    answer = alice.call("POST", "/jobs", 200, json=body, params={"dry_run": "true"})
    assert answer.body["warnings"] == [
        "The manifest names 1 files more than once; each is transcribed and counted once.",
        *WARNINGS,
    ]
    assert answer.body["matched"] == 1
    logged(server, answer, "request")
    assert line_of(server, answer, EVENT) is None


def test_values_and_texts_instead_of_names_never_reach_the_log(idle_server: Server, idle: Client) -> None:
    forged = 'x", "event": "job.ended"}\n{"event": "forged", "level": "error"}'
    signed = "https://bucket.example/a.wav?X-Amz-Signature=0123456789abcdef"
    n_before = len(idle_server.log_text())  # other tests use the server, too
    answer = idle.call("POST", "/jobs", 201, json=single(config={forged: MARKS[0], signed: 1, "x" * 41: 2}))
    assert logged(idle_server, answer)["fields"] == ["config.?"] * 3
    logged(idle_server, answer, "request")
    text = idle_server.log_text()[n_before:]
    assert not any(word in text for word in ("forged", "X-Amz-Signature", "x" * 41, MARKS[0]))


def test_many_fields_make_one_short_log_line(idle_server: Server, idle: Client) -> None:
    answer = idle.call("POST", "/jobs", 201, json=single() | {f"field_{number}": 1 for number in range(2000)})
    line = logged(idle_server, answer)
    assert (len(line["fields"]), line["total"]) == (10, 2000)
    assert len(answer.body["warnings"]) == 11


def test_credentials_that_are_sent_under_another_name_are_reported(
    server: Server, alice: Client, moto_s3: S3Server, wav: bytes
) -> None:
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    job = alice.done(manifest(f"s3://{bucket}/a.wav", f"s3://{bucket}/none.wav", output=f"s3://{bucket}/out/"))
    body = {"input": {"auth": aws()}, "outputs": {"auth": aws()}}
    answer = alice.call("POST", f"/jobs/{job['job_id']}/retry", 202, json=body)
    warning = "outputs is not a known field, so it has no effect. Did you mean output?"
    assert answer.body["warnings"] == [warning]
    assert logged(server, answer)["fields"] == ["outputs"]
    alice.ended(job["job_id"])


def test_fresh_credentials_and_vocabularies_have_no_warnings_in_their_answers_but_in_the_log(
    idle_server: Server, idle: Client
) -> None:
    job_id = idle.submit(single())
    renewed = idle.call("PUT", f"/jobs/{job_id}/credentials", 204, json={"input": {"auth": aws(), "uri": "s3://x/"}})
    line = logged(idle_server, renewed)
    assert (line["fields"], line["job_id"]) == (["input.uri"], job_id)
    body = {"phrases": ["Ada"], "title": "x"}
    stored = idle.but(base="/v2/aiservices/assets").call("POST", "/vocabularies", 201, json=body)
    line = logged(idle_server, stored)
    assert (line["fields"], line["vocabulary_id"]) == (["title"], stored.body["vocabulary_id"])
    assert "warnings" not in stored.body


@pytest.mark.parametrize(
    ("path", "params", "unknown"),
    [
        ("/jobs", {"stat": "FAILED", "page_size": "1"}, ["stat"]),
        ("/jobs", {"state": "FAILED", "next_cursor": ""}, None),
        ("/jobs", {"https://x?token=1": "y"}, ["?"]),
        ("/usage", {"since": "2026-01-01"}, ["since"]),
    ],
)
def test_unknown_query_parameters_are_in_the_log_line_of_the_request(
    idle_server: Server, idle: Client, path: str, params: dict[str, str], unknown: list[str] | None
) -> None:
    answer = idle.call("GET", path, 200, params=params)
    line = logged(idle_server, answer, "request")
    assert line.get("unknown_parameters") == unknown
    assert "FAILED" not in str(line)


def test_the_python_client_has_the_warnings(idle_server: Server) -> None:
    key = idle_server.new_key("python-warned")
    with PythonClient(idle_server.url, api_key=key.api_key, api_secret=key.api_secret) as client:
        assert list(client.submit(changed(single(), MISSPELLED)).warnings) == WARNINGS


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_the_command_line_shows_the_warnings_of_a_request_file(
    server: Server, recordings: Path, tmp_path: Path, options: list[str]
) -> None:
    write_wav(recordings / "call.wav")
    body: dict[str, Any] = {
        "input": {"uri": f"file://{recordings}/call.wav"},
        "output": {"uri": f"file://{recordings}/out{len(options)}/"},  # not what another server may have written
    }
    (tmp_path / "job.json").write_text(json.dumps(changed(body, MISSPELLED)))
    key = server.new_key("alice")
    pair = {"BATCHSCRIBE_API_KEY": key.api_key, "BATCHSCRIBE_API_SECRET": key.api_secret}
    command = Command(tmp_path, {"BATCHSCRIBE_SERVER": server.url, **pair})
    result = command.run("jobs", "submit", "--request", "job.json", *options)
    assert result.status == 0, result
    shown = (result.out if options else result.err).splitlines()
    assert [line for line in shown if line.startswith("Warning: ")] == [f"Warning: {each}" for each in WARNINGS]
