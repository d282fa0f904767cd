"""Clients that hold connections open, and answers to clients that do not speak HTTP."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPResponse

import pytest

from tests.contract.client import Answer, Client
from tests.contract.raw import exchanged
from tests.contract.server import Server
from tests.contract.strict import check_answer

SCRIBE = "/v2/aiservices/scribe"
CONNECTIONS = 40  #: that the server may have
STRANGERS = 150
MOST_LOG_LINES = 100
LONG_SEC = 60.0

HALF_A_HEAD = f"GET {SCRIBE}/jobs HTTP/1.1\r\nHost: x\r\nX-Long: ".encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "BATCHSCRIBE_MAX_CONNECTIONS": str(CONNECTIONS),
        "BATCHSCRIBE_REQUEST_HEAD_SEC": "1",
        "BATCHSCRIBE_REQUEST_BODY_SEC": "1",
        "BATCHSCRIBE_KEEP_ALIVE_SEC": "1",
        "BATCHSCRIBE_LOG_LEVEL": "warning",
    }
    with Server(tmp_path_factory.mktemp("server"), settings, ("--no-worker",)) as server:
        yield server


@pytest.fixture(scope="module")
def secret(server: Server) -> str:
    return server.new_key("ours").api_secret


@contextmanager
def connected(server: Server, sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=LONG_SEC) as connection:
        connection.sendall(sent)
        yield connection


def answered(connection: socket.socket) -> Answer:
    """Return the server's answer, checked like every answer."""
    with closing(HTTPResponse(connection)) as response:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, headers, response.read())
    check_answer("GET", "/", answer.status, answer.headers, answer.content)
    return answer


def half_a_body(secret: str) -> bytes:
    head = f"POST {SCRIBE}/jobs HTTP/1.1\r\nHost: x\r\nx-api-key: {secret}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: 1000\r\n\r\n{{".encode()


@pytest.mark.parametrize("sent", ["nothing", "half a head", "half a body"])
def test_idle_connections_give_way_to_new_ones(server: Server, secret: str, sent: str) -> None:
    content = {"nothing": b"", "half a head": HALF_A_HEAD, "half a body": half_a_body(secret)}[sent]
    with ExitStack() as strangers:
        for _ in range(STRANGERS):
            strangers.enter_context(connected(server, content))
        with Client(server.url, {"x-api-key": secret}) as client:
            assert client.get("/jobs") == {"jobs": [], "next_page_token": ""}
    assert len(server.log_text().splitlines()) < MOST_LOG_LINES


@pytest.mark.parametrize("part", ["head", "body"])
def test_half_a_request_is_answered_and_closed_when_its_time_is_over(server: Server, secret: str, part: str) -> None:
    with connected(server, HALF_A_HEAD if part == "head" else half_a_body(secret)) as connection:
        answer = answered(connection)
        assert (answer.status, answer.reason) == (408, "REQUEST_TIMEOUT")
        assert connection.recv(1) == b""


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_drip_of_bytes_does_not_make_the_time_longer(server: Server, secret: str, part: str) -> None:
    with connected(server, HALF_A_HEAD if part == "head" else half_a_body(secret)) as connection:
        connection.settimeout(0.1)
        deadline = time.monotonic() + LONG_SEC
        while time.monotonic() < deadline:
            try:
                connection.sendall(b"a")
                said = connection.recv(100)
            except TimeoutError:
                continue
            assert said.startswith(b"HTTP/1.1 408 ")
            return
    pytest.fail("the server waits for ever")


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_an_idle_connection_is_closed_without_a_word(server: Server, before: bytes) -> None:
    with connected(server, before) as connection:
        if before:
            assert answered(connection).body == {"status": "ok"}
        assert connection.recv(1) == b""


def test_the_rest_of_an_unread_body_has_a_time_limit_too(server: Server) -> None:
    """The answer, a rejection because there is no key, comes before the body."""
    with connected(server, half_a_body("wrong")) as connection:
        assert answered(connection).status == 401
        try:
            assert connection.recv(1) == b""
        except ConnectionResetError:
            return


NOT_HTTP = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "HTTP/9.9 2": b"GET /healthz HTTP/9.99\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
    "a control character in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
    "two lengths": b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length that is no number": b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: one\r\n\r\n",
    "an unknown coding": b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
}


@pytest.mark.parametrize("sent", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_data_that_is_not_http_gets_the_usual_error_body(server: Server, sent: bytes) -> None:
    answer = exchanged(server.url, sent)
    check_answer("GET", "/", answer.status, answer.headers, answer.content)
    assert answer.status in (400, 501)
    assert answer.reason == "MALFORMED_REQUEST"


@pytest.mark.parametrize("head", [b"GET /" + b"a" * 200_000, HALF_A_HEAD + b"a" * 200_000])
def test_a_head_that_is_too_long_is_answered_too(server: Server, head: bytes) -> None:
    answer = exchanged(server.url, head + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    check_answer("GET", "/", answer.status, answer.headers, answer.content)
    assert (answer.status, answer.reason) == (431, "HEAD_TOO_LARGE")


def test_a_broken_chunk_ends_the_request_and_nothing_else(server: Server, secret: str) -> None:
    head = f"POST {SCRIBE}/jobs HTTP/1.1\r\nHost: x\r\nx-api-key: {secret}\r\nContent-Type: application/json\r\n"
    answer = exchanged(server.url, f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode())
    assert answer.status == 400
    assert json.loads(answer.content)["reason"] == "MALFORMED_REQUEST"
    assert "Traceback" not in server.log_text()


def test_nothing_of_all_this_is_logged_line_by_line(server: Server) -> None:
    lines = server.log_lines()
    assert len(lines) < MOST_LOG_LINES
    assert {line["event"] for line in lines} <= {"connections.full"}
