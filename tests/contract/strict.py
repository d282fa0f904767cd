"""The strictest reader of answers: whatever it rejects would break a client of the original service.

Every answer that the tests receive goes through `check_answer`. The rules are those of contract 1.2 to 1.5 and 2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

Json = dict[str, Any]
Check = Callable[[Json], None]

BASES = ("/v2/aiservices/scribe", "/aiservices/scribe")
ASSETS = ("/v2/aiservices/assets", "/aiservices/assets")

JOB_STATES = {"QUEUED", "PROCESSING", "SUCCEEDED", "PARTIAL", "FAILED", "CANCELED"}
ENDED = {"SUCCEEDED", "PARTIAL", "FAILED", "CANCELED"}
FILE_STATES = {f"FILE_{word}" for word in ("QUEUED", "PROCESSING", "SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")}
COUNTERS = {"total_files", "queued", "processing", "succeeded", "failed", "skipped", "canceled"}
MODES = {"SINGLE", "PREFIX", "MANIFEST"}
LAYOUTS = {"SINGLE", "PREFIX", "ADJACENT"}
PLACES = {"S3", "FILE", "HTTPS", "GCS", "AZURE"}
#: The effective configuration always contains these.
CONFIG: dict[str, type] = {
    "language": str, "segmentation_mode": str, "timestamps": bool, "word_time_offsets": bool,
    "channel_separation": bool, "diarization": bool, "profanity_filter": bool, "output_format": str,
}  # fmt: skip
#: Names of secret fields; no answer has them at any depth.
SECRET_NAMES = {"auth", "secret", "access_key_id", "secret_access_key", "session_token", "api_secret", "notifications"}

#: The status and the number that belong to a reason.
REASONS = {
    "INVALID_ACCESS_TOKEN": (401, 124),
    "MALFORMED_BODY": (400, 300),
    "VALIDATION_FAILED": (400, 300),
    "UNSUPPORTED_LANGUAGE": (400, 300),
    "OPTION_NOT_AVAILABLE": (400, 300),
    "UNSUPPORTED_CONTENT_TYPE": (415, 300),
    "JOB_NOT_CANCELABLE": (400, 400),
    "JOB_ENDED": (400, 400),
    "JOB_NOT_RETRYABLE": (409, 409),
    "FRESH_CREDENTIALS_NEEDED": (409, 409),
    "CREDENTIALS_NEEDED": (409, 409),
    "WEBHOOK_ADDRESS_GONE": (409, 409),
    "DELIVERY_NOT_FOUND": (404, 404),
    "JOB_NOT_FOUND": (404, 404),
    "FILE_NOT_FOUND": (404, 404),
    "VOCABULARY_NOT_FOUND": (404, 404),
    "TOO_MANY_VOCABULARIES": (400, 400),
    "SEARCH_OFF": (400, 400),
    "NOT_FOUND": (404, 404),
    "METHOD_NOT_ALLOWED": (405, 405),
    "IDEMPOTENCY_KEY_REUSED": (409, 409),
    "BODY_TOO_LARGE": (413, 413),
    "MALFORMED_REQUEST": (400, 400),
    "REQUEST_TIMEOUT": (408, 408),
    "HEAD_TOO_LARGE": (431, 431),
    "RATE_LIMITED": (429, 429),
}
LEAKS = re.compile(r'Traceback|site-packages|File "|\.py\b|sqlalchemy|pydantic|/src/|batchscribe\.db', re.IGNORECASE)


def check_answer(method: str, path: str, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """`path` without its query; `headers` by their names in lower case."""
    assert status < 500, content[:2000]
    assert headers.get("x-zm-trackingid", "").strip(), "x-zm-trackingid is missing"
    if status >= 400:
        assert is_json(headers), headers.get("content-type")
        check_error(status, parsed(content))
        return
    checks = checks_of(method, path)
    if checks is None:
        return  # not a route of the contract's
    assert status in checks, f"{method} {path} does not answer {status}"
    if status == 204:
        assert content == b"", "204 has no body"
        return
    assert is_json(headers), headers.get("content-type")
    body = parsed(content)
    check_no_secret_names(body)
    checks[status](body)


def checks_of(method: str, path: str) -> dict[int, Check] | None:
    for base in (*BASES, *ASSETS):
        rest = re.sub(r"/+", "/", path)
        if rest.startswith(f"{base}/"):
            rest = rest.removeprefix(base)
            return next((found for on, route, found in ROUTES if on == method and re.fullmatch(route, rest)), None)
    return None


def is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip() == "application/json"


def parsed(content: bytes) -> Json:
    """Parse strictly: UTF-8, no repeated name, no NaN, an object at the top."""
    body = json.loads(content.decode(), object_pairs_hook=_without_doubles, parse_constant=_refuse_constant)
    assert isinstance(body, dict), body
    return body


def _without_doubles(pairs: list[tuple[str, Any]]) -> Json:
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a name comes twice in {names}"
    return dict(pairs)


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


# --- errors ------------------------------------------------------------------------------------------------------


def check_error(status: int, body: Json) -> None:
    """Check the error shape of contract 2."""
    assert set(body) <= {"code", "reason", "message", "errors", "metadata"}, body
    assert isinstance(body["code"], int), body
    assert not isinstance(body["code"], bool), body
    check_text(body, "reason")
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", body["reason"]), body
    check_text(body, "message")
    known_status, code = REASONS.get(body["reason"], (status, body["code"]))
    assert (status, body["code"]) == (known_status, code), (status, body)
    assert body["code"] in (124, 300, status), body
    assert not LEAKS.search(json.dumps(body)), body
    if "errors" in body:
        check_mistakes(body["errors"])


def check_mistakes(mistakes: object) -> None:
    assert isinstance(mistakes, list), mistakes
    assert mistakes, "an empty list of errors says nothing"
    for mistake in mistakes:
        assert set(mistake) == {"field", "message"}, mistake
        assert isinstance(mistake["field"], str), mistake
        check_text(mistake, "message")


# --- jobs --------------------------------------------------------------------------------------------------------


def check_accepted(body: Json) -> None:
    """The answer to a submit."""
    check_no_nulls(body)
    check_text(body, "job_id")
    assert body["state"] == "QUEUED", body
    moment_of(body, "submitted_at")


def check_job_page(body: Json) -> None:
    check_page(body, "jobs")
    for job in body["jobs"]:
        check_job(job)


def check_job(job: Json) -> None:
    """Check the job object of routes 2 and 3 and of webhooks."""
    check_no_nulls(job, may_be_null=("error",))
    check_text(job, "job_id")
    assert job["state"] in JOB_STATES, job
    check_moments(job)
    if "reference_id" in job:
        assert isinstance(job["reference_id"], str), job
    check_input(job["input"])
    check_output(job["output"])
    check_config(job["config"])
    check_summary(job["summary"], ended=job["state"] in ENDED)
    assert (job["error"] is not None) == (job["state"] == "FAILED"), job
    if job["error"] is not None:
        check_reason(job["error"])
    check_progress(job["progress"], job["state"])
    check_usage(job["usage"])
    if "waiting_for" in job:
        assert (job["waiting_for"], job["state"]) == ("credentials", "PROCESSING"), job
    assert "stats" not in job, "the older name of summary"


def check_progress(progress: Json, state: str) -> None:
    check_no_nulls(progress)
    known = {"audio_sec_done", "audio_sec_total", "queue_position", "eta_sec"}
    assert {"audio_sec_done"} <= set(progress) <= known, progress
    assert progress["audio_sec_done"] <= progress.get("audio_sec_total", float("inf")), progress
    assert ("queue_position" in progress) == (state == "QUEUED"), progress
    assert progress.get("queue_position", 1) >= 1, progress
    assert "eta_sec" not in progress or state == "PROCESSING", progress
    assert progress.get("eta_sec", 0) >= 0, progress


def check_usage(usage: Json) -> None:
    check_no_nulls(usage)
    assert set(usage) == {"audio_sec", "compute_sec", "bytes_in", "retries"}, usage
    assert min(usage.values()) >= 0, usage


def check_retried(job: Json) -> None:
    check_job({name: value for name, value in job.items() if name != "warnings"})
    assert job["state"] in {"PROCESSING", *ENDED}, job
    check_texts(job.get("warnings", []))


def check_moments(job: Json) -> None:
    submitted = moment_of(job, "submitted_at")
    assert ("completed_at" in job) == (job["state"] in ENDED), job
    if "completed_at" in job:
        assert moment_of(job, "completed_at") >= submitted, job


def check_input(source: Json) -> None:
    assert source["mode"] in MODES, source
    assert source["source"] in PLACES, source
    if source["mode"] == "MANIFEST":
        check_texts(source["manifest"])
        assert source["manifest"], source
    else:
        check_text(source, "uri")
    for globs in source.get("filters", {}).values():
        check_texts(globs)


def check_output(output: Json) -> None:
    """Clients require all four."""
    assert output["destination"] in PLACES, output
    assert isinstance(output["uri"], str), output
    assert output["layout"] in LAYOUTS, output
    assert isinstance(output["overwrite"], bool), output


def check_config(config: Json) -> None:
    for name, kind in CONFIG.items():
        assert type(config[name]) is kind, (name, config)
    assert config["segmentation_mode"] in {"auto", "none"}, config
    assert isinstance(config.get("model", ""), str), config
    assert config.get("language_detection", {"mode": "once"}) in ({"mode": "once"}, {"mode": "continuous"}), config


def check_summary(summary: Json, *, ended: bool) -> None:
    assert set(summary) == COUNTERS, summary
    assert all(type(number) is int and number >= 0 for number in summary.values()), summary
    assert summary["total_files"] == sum(summary.values()) - summary["total_files"], summary
    assert not ended or (summary["queued"], summary["processing"]) == (0, 0), summary


def check_reason(error: Json) -> None:
    """Why a job or a file failed; clients require both to be strings."""
    assert {"code", "message"} <= set(error) <= {"code", "message", "details"}, error
    check_text(error, "code")
    check_text(error, "message")
    for name, detail in error.get("details", {}).items():
        assert isinstance(name, str), error
        assert isinstance(detail, str), error
    assert not LEAKS.search(error["message"]), error


# --- files -------------------------------------------------------------------------------------------------------


def check_file_page(body: Json) -> None:
    check_page(body, "files")
    for file in body["files"]:
        check_file(file)
    ids = [file["file_id"] for file in body["files"]]
    assert len(ids) == len(set(ids)), ids


def check_file(file: Json) -> None:
    check_no_nulls(file, may_be_null=("error",))
    check_text(file, "file_id")
    check_text(file, "input_uri")
    assert not (file["input_uri"].startswith("http") and "?" in file["input_uri"]), file
    assert isinstance(file["output_uri"], str), file
    assert file["state"] in FILE_STATES, file
    if "duration_sec" in file:
        assert type(file["duration_sec"]) in (int, float), file
        assert file["duration_sec"] >= 0, file
    assert (file["error"] is not None) == (file["state"] in {"FILE_FAILED", "FILE_SKIPPED"}), file
    if file["error"] is not None:
        check_reason(file["error"])
    check_texts(file.get("warnings", []))


# --- deliveries --------------------------------------------------------------------------------------------------


def check_deliveries(body: Json) -> None:
    assert set(body) == {"deliveries", "can_replay"}, body
    assert isinstance(body["can_replay"], bool), body
    for delivery in body["deliveries"]:
        check_delivery(delivery)


def check_delivery(delivery: Json) -> None:
    check_no_nulls(delivery)
    assert re.fullmatch(r"evt_[0-9a-f]{32}", delivery["event_id"]), delivery
    assert delivery["event_type"].startswith("job."), delivery
    assert delivery["state"] in {"PENDING", "DELIVERED", "REFUSED", "GAVE_UP"}, delivery
    assert ("next_attempt_at" in delivery) == (delivery["state"] == "PENDING"), delivery
    for name in {"created_at", "replayed_at", "next_attempt_at"} & set(delivery) | {"created_at"}:
        moment_of(delivery, name)
    numbers = [attempt["attempt"] for attempt in delivery["attempts"]]
    assert numbers == sorted(set(numbers)), delivery
    for attempt in delivery["attempts"]:
        check_attempt(attempt)


def check_attempt(attempt: Json) -> None:
    assert set(attempt) <= {"attempt", "sent_at", "took_sec", "status", "error"}, attempt
    moment_of(attempt, "sent_at")
    assert attempt["took_sec"] >= 0, attempt
    assert ("error" in attempt) == (not 200 <= attempt.get("status", 0) < 300), attempt


# --- vocabularies ------------------------------------------------------------------------------------------------


def check_vocabulary_page(body: Json) -> None:
    check_page(body, "vocabularies")
    for vocabulary in body["vocabularies"]:
        check_vocabulary(vocabulary)


def check_vocabulary(body: Json) -> None:
    check_no_nulls(body)
    check_text(body, "vocabulary_id")
    moment_of(body, "created_at")
    assert 1 <= len(body["phrases"]) <= 100, body
    check_texts(body["phrases"])
    for alias in body.get("aliases", []):
        check_text(alias, "canonical")
        check_texts(alias["variants"])
    assert isinstance(body.get("name", ""), str), body


# --- dry runs ----------------------------------------------------------------------------------------------------


def check_dry_run(body: Json) -> None:
    check_no_nulls(body)
    assert body["dry_run"] is True, body
    assert isinstance(body["complete"], bool), body
    for name in ("matched", "skipped", "excluded", "bytes"):
        assert type(body[name]) is int, (name, body)
        assert body[name] >= 0, (name, body)
    assert type(body["estimated_audio_hours"]) in (int, float), body
    assert body["estimated_audio_hours"] >= 0, body
    assert len(body["planned"]) <= 100, body
    for pair in body["planned"]:
        assert set(pair) == {"input_uri", "output_uri"}, pair
        check_text(pair, "input_uri")
        check_text(pair, "output_uri")
    check_texts(body["warnings"])
    check_input(body["input"])
    check_output(body["output"])
    check_config(body["config"])
    assert "job_id" not in body, "nothing is stored, so there is no job"


# --- parts -------------------------------------------------------------------------------------------------------


def check_page(body: Json, name: str) -> None:
    assert isinstance(body[name], list), body
    assert isinstance(body["next_page_token"], str), body
    if body["next_page_token"]:
        assert body.get("next_cursor", body["next_page_token"]) == body["next_page_token"], body
    else:
        assert "next_cursor" not in body, "the alias is only there when there is more"


def check_text(body: Json, name: str) -> None:
    assert isinstance(body[name], str), (name, body)
    assert body[name], f"{name} is empty"


def check_texts(texts: object) -> None:
    assert isinstance(texts, list), texts
    assert all(isinstance(text, str) for text in texts), texts


def moment_of(body: Json, name: str) -> datetime:
    """ISO 8601 with `Z`, in whole seconds, as in every example of the original."""
    check_text(body, name)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body[name]), body[name]
    return datetime.fromisoformat(body[name])


def check_no_nulls(body: Json, *, may_be_null: tuple[str, ...] = ()) -> None:
    """Check for nulls, which fail the whole page in some clients. `may_be_null` are names at the top."""
    for name, value in body.items():
        if value is None:
            assert name in may_be_null, f"{name} is null"
        nulls = [path for path, inner in walk(value, name) if inner is None and path not in may_be_null]
        assert nulls == [], f"null at {nulls}"


def check_no_secret_names(body: Json) -> None:
    names = {path.rpartition(".")[2] for path, _ in walk(body, "")}
    assert not names & SECRET_NAMES, names & SECRET_NAMES


def walk(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Yield every value with its dotted path."""
    yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from walk(inner, f"{path}.{number}")


ROUTES: tuple[tuple[str, str, dict[int, Check]], ...] = (
    ("POST", r"/jobs", {201: check_accepted, 200: check_dry_run}),
    ("GET", r"/jobs", {200: check_job_page}),
    ("GET", r"/jobs/[^/]+", {200: check_job}),
    ("DELETE", r"/jobs/[^/]+", {204: lambda _: None}),
    ("PUT", r"/jobs/[^/]+/credentials", {204: lambda _: None}),
    ("POST", r"/jobs/[^/]+/retry", {202: check_retried}),
    ("GET", r"/jobs/[^/]+/deliveries", {200: check_deliveries}),
    ("POST", r"/jobs/[^/]+/deliveries/[^/]+/replay", {202: check_delivery}),
    ("GET", r"/jobs/[^/]+/files", {200: check_file_page}),
    ("GET", r"/jobs/[^/]+/files/[^/]+", {200: check_file}),
    ("POST", r"/vocabularies", {201: check_vocabulary}),
    ("GET", r"/vocabularies", {200: check_vocabulary_page}),
    ("GET", r"/vocabularies/[^/]+", {200: check_vocabulary}),
    ("DELETE", r"/vocabularies/[^/]+", {204: lambda _: None}),
)
