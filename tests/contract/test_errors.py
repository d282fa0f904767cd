"""Invalid requests of every kind: the right status, one shape, and never a server error (contract 2)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.contract.bodies import changed, hook, single
from tests.contract.client import Answer, Client
from tests.contract.conftest import client_of
from tests.contract.raw import chunked, exchanged, send_raw
from tests.contract.server import Server
from tests.integration.command import wait_until

JSON = {"Content-Type": "application/json"}
NO_OBJECT = "Request Body should be a valid JSON object."


@pytest.fixture(scope="module")
def idle(idle_server: Server) -> Iterator[Client]:
    """A separate tenant, so that accidentally stored jobs affect no other test."""
    with client_of(idle_server, idle_server.new_key("mistaken")) as client:
        yield client


def posted(client: Client, content: bytes, **headers: str) -> Answer:
    types = {name.replace("_", "-"): value for name, value in headers.items()} or JSON
    return client.call("POST", "/jobs", content=content, headers=types)


def good(**changes: Any) -> str:
    return json.dumps(single(**changes))


# --- bodies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b"{}}",
        b'{"input": }',
        good()[:-1].encode(),
        good().encode() + b"x",
        good().encode() * 2,
        good().replace("}", ",}").encode(),
        good().replace('"', "'").encode(),
        b"[]",
        b"[" + good().encode() + b"]",
        b"1",
        b'"text"',
        b"null",
        b"true",
        b"\xff\xfe\x00",
        b'{"reference_id": "\xff\xfe"}',
        good().encode()[:-1] + b', "more": NaN}',
        good().encode()[:-1] + b', "more": Infinity}',
        good().encode()[:-1] + b', "more": "a\nb"}',
        b"\0" * 100,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_body_that_is_not_a_json_object_is_rejected(idle: Client, content: bytes) -> None:
    answer = posted(idle, content)
    assert (answer.status, answer.body["code"], answer.body["message"]) == (400, 300, NO_OBJECT)


@pytest.mark.parametrize(
    "more",
    [
        '"x": 1e999',
        '"x": ' + "9" * 10_000,
        '"x": -0.0',
        '"x": ' + "[" * 200 + "]" * 200,
        '"reference_id": "a", "reference_id": "b"',
        '"input": 1, "input": 2',
        '"x": "\\ud83d\\ude00"',
        '"\\ud800": 1',
        '"x": "\\udfff"',
        '"__proto__": {}',
        '"x": "\\u0000"',
    ],
)
def test_json_that_few_parsers_agree_on_is_never_a_server_error(idle: Client, more: str) -> None:
    assert posted(idle, f"{good()[:-1]}, {more}}}".encode()).status in (201, 400)


@pytest.fixture(scope="module")
def surrogate(idle_server: Server) -> Iterator[Client]:
    with client_of(idle_server, idle_server.new_key("surrogate")) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("reference_id", "{}"),
        ("input.uri", "s3://calls/{}.wav"),
        ("input.uri", "s3://{}/a.wav"),
        ("output.uri", "s3://transcripts/{}.json"),
        ("config.language", "{}"),
        ("config.model", "{}"),
        ("input.filters.include_globs", ["{}"]),
        ("input.auth.aws.secret_access_key", "{}"),
        ("output.auth.aws.session_token", "{}"),
        ("output.auth.aws.region", "{}"),
        ("notifications.webhook_url", "https://example.com/{}"),
        ("notifications.secret", "{}"),
    ],
)
@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_invalid_unicode_is_rejected_in_every_field(
    surrogate: Client, path: str, pattern: str | list[str], text: str
) -> None:
    """Once stored, it could not be sent to any client, not even as part of a list."""
    value = pattern.format(text) if isinstance(pattern, str) else [pattern[0].format(text)]
    body = changed(single(notifications=hook("https://example.com/")), {path: value})
    assert posted(surrogate, json.dumps(body).encode()).status == 400


@pytest.mark.parametrize("path", ["reference_id", "input.uri", "output.uri", "config.language", "config.model"])
def test_a_nul_is_refused_where_text_is_stored(idle: Client, path: str) -> None:
    value = "s3://calls/\0.wav" if path.endswith("uri") else "\0"
    assert path in idle.refused(changed(single(), {path: value})).fields


@pytest.mark.parametrize("name", ["access_key_id", "secret_access_key", "session_token", "region"])
@pytest.mark.parametrize("text", ["x\n", "x\0y", "x\r\ny"])
def test_a_key_that_no_request_to_storage_can_carry_is_refused(idle: Client, name: str, text: str) -> None:
    """Usually a newline was copied with the key."""
    for side in ("input", "output"):
        path = f"{side}.auth.aws.{name}"
        assert idle.refused(changed(single(), {path: text})).fields == [path]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_in_another_encoding_is_never_a_server_error(idle: Client, encoding: str) -> None:
    assert posted(idle, good().encode(encoding)).status in (201, 400)


def test_all_problems_of_a_body_are_named_together_or_one_by_one(idle: Client) -> None:
    body = changed(single(), {"input.uri": 5, "config.timestamps": "yes"})
    assert set(idle.refused(body).fields) & {"input.uri", "config.timestamps"}


# --- content types -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "Application/JSON",
    ],
)
def test_json_may_be_declared_in_many_ways(idle: Client, content_type: str) -> None:
    assert posted(idle, good().encode(), Content_Type=content_type).status == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
        "*/*",
        "",
    ],
)
def test_another_content_type_is_refused(idle: Client, content_type: str) -> None:
    answer = posted(idle, good().encode(), Content_Type=content_type)
    assert (answer.status, answer.reason) == (415, "UNSUPPORTED_CONTENT_TYPE")
    assert answer.body["message"].startswith("Unsupported Content Type")


def test_a_body_without_a_content_type_is_refused(idle: Client) -> None:
    answer = send_raw(idle, "POST", f"{idle.base}/jobs", lines=("Content-Length: 2",), body=b"{}")
    assert (answer.status, answer.body["code"], answer.reason) == (415, 300, "UNSUPPORTED_CONTENT_TYPE")


def test_a_get_needs_no_content_type_and_may_even_have_a_body(idle: Client) -> None:
    idle.call("GET", "/jobs", 200, content=b"{", headers={"Content-Type": "text/plain"})


# --- sizes -------------------------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused(idle: Client) -> None:
    answer = posted(idle, b" " * (4 * 2**20 + 1))
    assert (answer.status, answer.reason) == (413, "BODY_TOO_LARGE")


def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(idle: Client) -> None:
    lines = ("Content-Type: application/json", "Content-Length: 10000000000")
    assert send_raw(idle, "POST", f"{idle.base}/jobs", lines=lines).status == 413


def test_a_body_over_the_limit_is_refused_when_its_size_is_not_declared(idle: Client) -> None:
    lines = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    answer = send_raw(idle, "POST", f"{idle.base}/jobs", lines=lines, body=chunked(b" " * 5_000_000))
    assert (answer.status, answer.reason) == (413, "BODY_TOO_LARGE")


def test_a_body_may_come_in_chunks(idle: Client) -> None:
    lines = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    answer = send_raw(idle, "POST", f"{idle.base}/jobs", lines=lines, body=chunked(good().encode(), 7))
    assert answer.status == 201


def test_a_client_may_wait_before_it_sends_its_body(idle: Client) -> None:
    """As curl does with large bodies."""
    lines = ("Content-Type: application/json", f"Content-Length: {len(good())}", "Expect: 100-continue")
    answer = send_raw(idle, "POST", f"{idle.base}/jobs", lines=lines, body=good().encode())
    assert answer.status == 201


def test_the_largest_body_that_is_allowed_is_read(idle: Client) -> None:
    assert posted(idle, good().encode().ljust(4 * 2**20)).status == 201


# --- routes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/job", "/jobs/a/b", "/jobs/a/files/b/c", "/transcripts", "/../jobs"])
def test_an_unknown_route_is_not_found(idle: Client, path: str) -> None:
    answer = send_raw(idle, "GET", f"{idle.base}{path}")
    assert (answer.status, answer.reason) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/v2", "/v1/aiservices/scribe/jobs", "/jobs", "/v2/ai/scribe/jobs"])
def test_nothing_is_served_beside_the_two_bases(idle: Client, path: str) -> None:
    assert idle.call_at("GET", path, 404).reason == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/jobs", {"GET", "POST"}),
        ("PATCH", "/jobs", {"GET", "POST"}),
        ("DELETE", "/jobs", {"GET", "POST"}),
        ("POST", "/jobs/job_0", {"GET", "DELETE"}),
        ("PUT", "/jobs/job_0", {"GET", "DELETE"}),
        ("PATCH", "/jobs/job_0", {"GET", "DELETE"}),
        ("POST", "/jobs/job_0/files", {"GET"}),
        ("DELETE", "/jobs/job_0/files/f_001", {"GET"}),
        ("TRACE", "/jobs", {"GET", "POST"}),
        ("BREW", "/jobs", {"GET", "POST"}),
    ],
)
def test_a_wrong_method_is_answered_with_the_allowed_ones(
    idle: Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = idle.call(method, path, 405)
    assert answer.reason == "METHOD_NOT_ALLOWED"
    assert {name.strip() for name in answer.headers["allow"].split(",")} - {"HEAD", "OPTIONS"} == allowed


@pytest.mark.parametrize(("method", "path"), [("GET", "/jobs/"), ("POST", "/jobs/"), ("GET", "/jobs/job_0/files/")])
def test_a_slash_at_the_end_is_never_a_redirect(idle: Client, method: str, path: str) -> None:
    """A redirected POST becomes a GET in many clients, and a redirect shows the address behind a proxy."""
    answer = idle.call(method, path, json=single() if method == "POST" else None)
    assert answer.status in (200, 201, 404)
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "path", ["//v2//aiservices///scribe/jobs", "/v2//aiservices/scribe//jobs", "//aiservices/scribe/jobs"]
)
def test_double_slashes_are_one(idle: Client, path: str) -> None:
    assert send_raw(idle, "GET", path).status == 200


@pytest.mark.parametrize("target", ["/jobs/%zz", "/jobs/%", "/jobs/%f", "/jobs/%00", "/jobs/%ff%fe", "/%6aobs/x%2fy"])
def test_bad_percent_encoding_is_not_found(idle: Client, target: str) -> None:
    assert send_raw(idle, "GET", f"{idle.base}{target}").status == 404


@pytest.mark.parametrize(
    "query",
    ["page_size=%zz", "page_size=%", "page_size=%ff", "next_page_token=%ff%00", "state=%00", "state=%ff", "state=%zz"],
)
def test_bad_percent_encoding_in_a_query_is_refused(idle: Client, query: str) -> None:
    answer = send_raw(idle, "GET", f"{idle.base}/jobs?{query}")
    assert (answer.status, answer.reason) == (400, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    "query", ["", "&", "=", "&&==&", "page_size=1&page_size=2", "unknown=%ff", "x" * 8000, "a[]=1;b=2"]
)
def test_a_strange_query_is_never_a_server_error(idle: Client, query: str) -> None:
    assert send_raw(idle, "GET", f"{idle.base}/jobs?{query}").status in (200, 400)


# --- below HTTP --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        "GET /v2/aiservices/scribe/jobs/ü HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_data_that_is_not_http_is_rejected_and_the_server_keeps_working(
    idle: Client, idle_server: Server, request_bytes: bytes
) -> None:
    with suppress(ConnectionResetError):  # it need not read all of a rejected body
        assert 400 <= exchanged(idle_server.url, request_bytes).status < 500
    idle.call_at("GET", "/healthz", 200)


def test_the_server_survives_a_connection_that_ends_within_a_body(idle: Client, idle_server: Server) -> None:
    newest = idle.get("/jobs", page_size=1)["jobs"]
    host, port = "127.0.0.1", idle_server.port
    head = [f"POST {idle.base}/jobs HTTP/1.1", f"Host: {host}:{port}", "Content-Length: 5000"]
    head += ["Content-Type: application/json", *[f"{name}: {value}" for name, value in idle.headers.items()], "", ""]
    hang_up_after(host, port, "\r\n".join(head).encode() + b'{"input"')
    assert idle.get("/jobs", page_size=1)["jobs"] == newest


def hang_up_after(host: str, port: int, data: bytes) -> None:
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(data)


# --- tracking ----------------------------------------------------------------------------------------------------


def test_every_request_has_a_tracking_id_of_its_own(idle: Client) -> None:
    ids = {idle.call("GET", "/jobs/job_0").headers["x-zm-trackingid"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/jobs", 200), ("GET", "/nothing", 404)])
def test_the_log_of_a_request_has_its_tracking_id(
    idle: Client, idle_server: Server, method: str, path: str, status: int
) -> None:
    tracking_id = idle.call(method, path, status).headers["x-zm-trackingid"]
    wait_until(lambda: tracking_id in idle_server.log_text())
    lines = [line for line in idle_server.log_lines() if tracking_id in json.dumps(line)]
    assert [line["tracking_id"] for line in lines] == [tracking_id] * len(lines)
