"""How the client reads addresses, keys and answers."""

from __future__ import annotations

import time

import httpx2
import jwt
import pytest

from batchscribe.client import Client
from batchscribe.client.address import Address
from batchscribe.client.attempts import parse_retry_after
from batchscribe.client.key import key_of
from batchscribe.client.server_answers import object_of
from batchscribe.errors import ServerError, ServerRefused, UsageError

KEY = "key_0123456789"
SECRET = "a-secret-of-more-than-thirty-two-bytes"
ROUTES = "http://host:8080/v2/aiservices/scribe"


@pytest.mark.parametrize(
    ("server", "service"),
    [
        ("http://host:8080", ROUTES),
        ("http://host:8080/", ROUTES),
        (" http://host:8080/v2 ", ROUTES),
        ("http://host:8080/v2/", ROUTES),
        (ROUTES, ROUTES),
        (f"{ROUTES}/", ROUTES),
        ("http://host:8080/aiservices/scribe", "http://host:8080/aiservices/scribe"),
        ("https://gate/speech/", "https://gate/speech/v2/aiservices/scribe"),
        ("http://[::1]:8080", "http://[::1]:8080/v2/aiservices/scribe"),
    ],
)
def test_a_server_is_named_with_or_without_the_service_s_path(server: str, service: str) -> None:
    assert Address.of(server).url() == service


@pytest.mark.parametrize(
    "server",
    ["", "host", "host:8080", "ftp://host", "http://", "http://host:port", "http://host:99999", "http://host/?a=b",
     "http://host/#a", "http://ho\nst"],
)  # fmt: skip
def test_what_is_not_a_server_s_url_is_refused_with_an_example(server: str) -> None:
    with pytest.raises(UsageError, match="not a server URL; write it like http://host:8080"):
        Address.of(server)


def test_a_password_in_the_url_is_used_but_never_shown() -> None:
    address = Address.of("http://me:hunter2@host")
    assert address.url().startswith("http://me:hunter2@host/")
    assert "hunter2" not in address.shown + repr(address)
    with pytest.raises(UsageError) as refused:
        Address.of("http://me:hunter2@host:port/")
    assert "hunter2" not in str(refused.value)


def test_the_parts_of_a_path_are_quoted() -> None:
    address = Address.of("http://host:8080")
    assert address.url("jobs", "a/b c?d#e") == f"{ROUTES}/jobs/a%2Fb%20c%3Fd%23e"


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_no_id_leads_to_another_route(part: str) -> None:
    with pytest.raises(UsageError, match="not a job or file ID"):
        Address.of("http://host").url("jobs", part)


def test_a_pair_signs_a_new_token_for_each_request() -> None:
    key = key_of(KEY, SECRET)
    assert key is not None
    claims = jwt.decode(key.bearer(), SECRET, algorithms=["HS256"], options={"verify_iat": False})
    now = time.time()
    assert claims["iss"] == KEY
    assert claims["iat"] == pytest.approx(now - 30, abs=2)
    assert claims["exp"] == pytest.approx(now + 3600, abs=2)
    assert jwt.get_unverified_header(key.bearer()) == {"alg": "HS256", "typ": "JWT"}


@pytest.mark.parametrize(("api_key", "api_secret"), [("alone", None), (None, "alone"), ("alone", "")])
def test_one_half_of_a_pair_is_sent_as_it_is(api_key: str | None, api_secret: str | None) -> None:
    key = key_of(api_key, api_secret)
    assert key is not None
    assert key.bearer() == "alone"


def test_without_a_key_there_is_nothing_to_send() -> None:
    assert key_of(None, None) is None


@pytest.mark.parametrize("api_key", ["two words", "line\n", "schlüssel"])
def test_a_key_that_fits_into_no_header_is_refused_and_not_shown(api_key: str) -> None:
    with pytest.raises(UsageError, match="contains invalid characters") as refused:
        key_of(api_key, None)
    assert api_key not in str(refused.value)


def test_neither_key_nor_secret_is_in_a_repr() -> None:
    with Client("http://me:hunter2@host", api_key=KEY, api_secret=SECRET) as client:
        shown = repr(client) + repr(key_of(KEY, SECRET)) + repr(key_of(KEY, None))
    assert repr(client) == "Client('http://host')"
    for secret in (KEY, SECRET, "hunter2"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("retry_after", "pause_sec"),
    [(None, None), ("0", 0), ("7", 7), ("3600", 10), ("Tue, 24 Nov 2026 12:00:00 GMT", 10), ("-1", 10)],
)
def test_a_requested_pause_is_kept_up_to_ten_seconds(retry_after: str | None, pause_sec: float | None) -> None:
    assert parse_retry_after(retry_after) == pause_sec


def refusal(status: int, **content: object) -> ServerRefused:
    response = httpx2.Response(status, **content)  # type: ignore[arg-type]
    with pytest.raises(ServerRefused) as refused:
        object_of(response, "http://host")
    return refused.value


def test_a_rejection_has_the_servers_message_and_body() -> None:
    body = {"code": 404, "reason": "JOB_NOT_FOUND", "message": "There is no job job_1."}
    error = refusal(404, json=body)
    assert (error.message, error.status, error.reason, error.body) == (body["message"], 404, "JOB_NOT_FOUND", body)


def test_a_rejection_names_each_problem_once_with_its_field() -> None:
    errors = [
        {"field": "input.uri", "message": "A URI is required."},
        {"field": "config", "message": "config is required."},
        {"field": "", "message": "Validation Failed."},
    ]
    error = refusal(400, json={"code": 300, "message": "Validation Failed.", "errors": errors})
    assert error.message == "Validation Failed. input.uri: A URI is required. config is required."
    no_stop = {"message": "Invalid Access token", "errors": [{"field": "Authorization", "message": "It has expired."}]}
    assert refusal(401, json=no_stop).message == "Invalid Access token. Authorization: It has expired."


@pytest.mark.parametrize(
    "content",
    [{"text": "<h1>Bad Gateway</h1>"}, {"json": ["no", "object"]}, {"json": {"message": 7, "errors": 7, "reason": 7}},
     {"json": {"errors": ["no object", {"message": 7}]}}, {"content": b"\xff\xfe"}],
)  # fmt: skip
def test_a_refusal_in_no_known_form_names_server_and_status(content: dict[str, object]) -> None:
    error = refusal(502, **content)
    assert error.message == "http://host answered with the HTTP status 502."
    assert error.reason == ""
    assert error.body


@pytest.mark.parametrize("content", [{"text": "<h1>Hello</h1>"}, {"json": []}, {"content": b""}])
def test_an_answer_that_is_not_a_json_object_is_an_error(content: dict[str, object]) -> None:
    with pytest.raises(ServerError, match="The answer from http://host is not a JSON object"):
        object_of(httpx2.Response(200, **content), "http://host")  # type: ignore[arg-type]


def test_a_redirect_is_not_followed_with_the_key() -> None:
    response = httpx2.Response(308, headers={"Location": "https://elsewhere/"})
    with pytest.raises(ServerError, match="http://host answered with a redirect"):
        object_of(response, "http://host")
