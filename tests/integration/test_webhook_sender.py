"""One attempt to deliver one webhook, to receivers on loopback, which the policy of these tests allows."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path

import pytest

from batchscribe import __version__
from batchscribe.outbound.policy import Policy
from batchscribe.webhooks.payload import Attempt, DeliveryVerdict
from batchscribe.webhooks.sender import Sender
from batchscribe.webhooks.signature import verify
from tests.servers.certificates import make_certificate
from tests.servers.receiver import ADDRESS, Answer, Receiver, drips, pours, receiving, says
from tests.twins.sender import Answer as ScriptedAnswer
from tests.twins.sender import SenderTwin

LOOPBACK = Policy(allow_networks=(ip_network("127.0.0.0/8"),), allow_http=True)
HOST = "hooks.example.org"
SECRET = "whsec_test"
BODY = b'{"event_type":"job.succeeded","event_id":"evt_1","event_ts":1,"job":{}}'
NOW = 1_767_638_052.7
PATH = "/hook/t0ken?key=t0ken"

OK_HEAD = b"HTTP/1.1 200 OK\r\n\r\n"  #: without a length: the body ends with the connection


def to_loopback(host: str, port: int) -> Sequence[str]:
    return [ADDRESS]


def send(receiver: Receiver, *, timeout_sec: float = 20, secret: str | None = SECRET) -> Attempt:
    sender = Sender(LOOPBACK, timeout_sec=timeout_sec)
    return sender.send(url=receiver.url(PATH), secret=secret, body=BODY, moment=NOW)


def real_attempt(status: int, retry_after: str | None = None) -> Attempt:
    headers = [] if retry_after is None else [f"Retry-After: {retry_after}"]
    return attempt_at(says(status, *headers, body=b""))


def twin_attempt(status: int, retry_after: str | None = None) -> Attempt:
    twin = SenderTwin([ScriptedAnswer(status, retry_after)])
    return twin.send(url="https://example.org/hook", secret=SECRET, body=BODY, moment=NOW)


#: The twin in tests/twins answers as the real sender does.
attempts = pytest.mark.parametrize("attempt", [real_attempt, twin_attempt])


def attempt_at(answer: Answer, *, timeout_sec: float = 20) -> Attempt:
    with receiving(answer) as receiver:
        return send(receiver, timeout_sec=timeout_sec)


def test_a_receiver_that_says_yes_has_the_event_signed() -> None:
    with receiving(says(200)) as receiver:
        attempt = send(receiver)
    assert (attempt.verdict, attempt.status, attempt.error) == (DeliveryVerdict.DELIVERED, 200, None)
    assert 0 < attempt.took_sec < 20
    request = receiver.request
    assert request.line == f"POST {PATH} HTTP/1.1"
    assert request.body == BODY
    assert verify(
        request.body,
        secret=SECRET,
        timestamp=request.headers["x-zm-request-timestamp"],
        signature=request.headers["x-zm-signature"],
        now=NOW,
    )


def test_these_and_no_other_headers_are_sent() -> None:
    with receiving(says(200)) as receiver:
        send(receiver)
    headers = receiver.request.headers
    assert headers.pop("x-zm-signature").startswith("sha256=")
    assert headers == {
        "host": f"{ADDRESS}:{receiver.port}",
        "connection": "close",
        "content-type": "application/json",
        "content-length": str(len(BODY)),
        "user-agent": f"batchscribe/{__version__}",
        "x-zm-request-timestamp": "1767638052",
    }


def test_without_a_secret_there_is_a_timestamp_and_no_signature() -> None:
    with receiving(says(200)) as receiver:
        assert send(receiver, secret=None).verdict is DeliveryVerdict.DELIVERED
    assert "x-zm-signature" not in receiver.request.headers
    assert receiver.request.headers["x-zm-request-timestamp"] == "1767638052"


def test_each_attempt_is_signed_anew() -> None:
    with receiving(says(200)) as receiver:
        sender = Sender(LOOPBACK)
        for moment in (NOW, NOW + 600):
            sender.send(url=receiver.url(), secret=SECRET, body=BODY, moment=moment)
    first, second = (request.headers for request in receiver.requests)
    assert second["x-zm-request-timestamp"] == "1767638652"
    assert first["x-zm-signature"] != second["x-zm-signature"]


@pytest.mark.parametrize(
    ("verdict", "statuses"),
    [
        (DeliveryVerdict.DELIVERED, (200, 201, 202, 204, 299)),
        (DeliveryVerdict.RETRY, (408, 425, 429, 500, 502, 503, 504, 599)),
        (DeliveryVerdict.REFUSED, (300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 409, 410, 422, 499)),
    ],
)
@attempts
def test_the_status_says_whether_to_come_again(
    attempt: Callable[[int], Attempt], verdict: DeliveryVerdict, statuses: tuple[int, ...]
) -> None:
    for status in statuses:
        made = attempt(status)
        assert (made.status, made.verdict) == (status, verdict)
        is_delivered = verdict is DeliveryVerdict.DELIVERED
        assert made.error == (None if is_delivered else f"The receiver answered {status}.")


@pytest.mark.parametrize(("header", "asked_sec"), [("120", 120.0), ("Mon, 05 Jan 2026 18:35:12 GMT", 59.3)])
@attempts
def test_a_busy_receiver_says_when_to_come_again(
    attempt: Callable[[int, str], Attempt], header: str, asked_sec: float
) -> None:
    made = attempt(503, header)
    assert made.verdict is DeliveryVerdict.RETRY
    assert made.retry_after_sec == pytest.approx(asked_sec)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with receiving(says(200)) as other, receiving(says(status, f"Location: {other.url()}")) as receiver:
        attempt = send(receiver)
    assert attempt.verdict is DeliveryVerdict.REFUSED
    assert other.requests == []


def test_a_cookie_is_not_kept() -> None:
    with receiving(says(200, "Set-Cookie: a=b; Path=/")) as receiver:
        sender = Sender(LOOPBACK)
        for _ in range(2):
            sender.send(url=receiver.url(), secret=None, body=BODY, moment=NOW)
    assert ["cookie" in request.headers for request in receiver.requests] == [False, False]


def test_a_proxy_of_the_environment_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(says(502)) as proxy, receiving(says(200)) as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{ADDRESS}:{proxy.port}")
        assert send(receiver).verdict is DeliveryVerdict.DELIVERED
    assert proxy.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda connection: time.sleep(30),
        drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        pours(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
    ids=["silent", "drips its head", "drips promises", "pours promises"],
)
def test_a_receiver_that_never_finishes_its_answer_is_abandoned(answer: Answer) -> None:
    attempt = attempt_at(answer, timeout_sec=0.5)
    assert (attempt.verdict, attempt.status) == (DeliveryVerdict.RETRY, None)
    assert attempt.error == "The receiver did not answer within 0.5 s."
    assert attempt.took_sec < 25


def test_a_body_that_drips_is_not_waited_for_beyond_the_deadline_and_its_status_stands() -> None:
    attempt = attempt_at(drips(OK_HEAD, b"x"), timeout_sec=0.5)
    assert attempt.verdict is DeliveryVerdict.DELIVERED
    assert attempt.took_sec < 25


def test_a_body_without_end_is_not_read_to_the_deadline() -> None:
    attempt = attempt_at(pours(OK_HEAD, b"x" * 4096), timeout_sec=60)
    assert attempt.verdict is DeliveryVerdict.DELIVERED
    assert attempt.took_sec < 50


def test_a_head_without_end_is_not_read_to_the_deadline() -> None:
    attempt = attempt_at(pours(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 4096), timeout_sec=60)
    assert attempt.verdict is DeliveryVerdict.RETRY
    assert attempt.took_sec < 50


def test_a_body_of_many_zeros_in_few_bytes_is_not_unpacked() -> None:
    """Bodies are ignored, even if they are not gzip, and unpacking them could be an attack."""
    assert attempt_at(says(200, "Content-Encoding: gzip", body=b"not gzip")).verdict is DeliveryVerdict.DELIVERED


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_a_receiver_that_does_not_speak_http_is_tried_again(reply: bytes) -> None:
    attempt = attempt_at(lambda connection: connection.sendall(reply))
    assert (attempt.verdict, attempt.status) == (DeliveryVerdict.RETRY, None)
    assert attempt.error == "The receiver's answer is not HTTP."


def test_an_unreachable_receiver_is_retried() -> None:
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
    attempt = Sender(LOOPBACK).send(url=f"http://{ADDRESS}:{port}{PATH}", secret=None, body=BODY, moment=NOW)
    assert (attempt.verdict, attempt.status) == (DeliveryVerdict.RETRY, None)
    assert attempt.error is not None
    assert "Connection refused" in attempt.error


def test_the_sentence_never_shows_the_path_or_the_query() -> None:
    """Many webhook URLs carry their secret there."""
    failures = [
        attempt_at(says(404)),
        attempt_at(says(503)),
        attempt_at(lambda connection: connection.sendall(b"no HTTP")),
        attempt_at(lambda connection: time.sleep(30), timeout_sec=0.2),
        Sender(Policy()).send(url=f"https://{ADDRESS}{PATH}", secret=None, body=BODY, moment=NOW),
        Sender(LOOPBACK).send(url=f"http://{ADDRESS}:1{PATH}", secret=None, body=BODY, moment=NOW),
    ]
    assert [attempt.error for attempt in failures if not attempt.error or "t0ken" in attempt.error] == []


def test_an_address_that_is_not_allowed_sees_nothing_and_may_be_allowed_the_next_time() -> None:
    with receiving(says(200)) as receiver:
        sender = Sender(Policy(allow_http=True, allow_networks=(ip_network("10.0.0.0/8"),)), resolve=to_loopback)
        attempt = sender.send(url=receiver.url(PATH, host=HOST), secret=None, body=BODY, moment=NOW)
    assert (attempt.verdict, attempt.status) == (DeliveryVerdict.RETRY, None)
    assert attempt.error is not None
    assert f"{HOST} resolves to an address to which requests to port" in attempt.error
    assert ADDRESS not in attempt.error
    assert receiver.requests == []


def test_a_url_no_longer_allowed_is_not_connected_to() -> None:
    """It was checked when the job was submitted, but the operator may have changed the policy since."""
    with receiving(says(200)) as receiver:
        sender = Sender(Policy(allow_networks=LOOPBACK.allow_networks))
        attempt = sender.send(url=receiver.url(PATH), secret=None, body=BODY, moment=NOW)
    assert attempt.verdict is DeliveryVerdict.RETRY
    assert attempt.error is not None
    assert "starts with http://" in attempt.error
    assert receiver.requests == []


def test_many_threads_share_a_sender() -> None:
    sender = Sender(LOOPBACK)
    with receiving(says(200)) as receiver, ThreadPoolExecutor(8) as threads:
        attempts = [
            threads.submit(sender.send, url=receiver.url(f"/{n}"), secret=SECRET, body=BODY, moment=NOW)
            for n in range(40)
        ]
        verdicts = {attempt.result().verdict for attempt in attempts}
    assert verdicts == {DeliveryVerdict.DELIVERED}
    assert len({request.line for request in receiver.requests}) == 40


# --- TLS -------------------------------------------------------------------------------------------------------------


def over_tls(
    folder: Path, *, shown: str = HOST, answer: Answer | None = None, timeout_sec: float = 20
) -> tuple[Attempt, Receiver, list[str | None]]:
    """Run a receiver with a certificate of `shown`. Yield the names that the sender asked for."""
    authority, tls = make_certificate(folder, shown)
    named: list[str | None] = []

    def note(_socket: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
        named.append(name)

    tls.sni_callback = note
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority))
        sender = Sender(LOOPBACK, timeout_sec=timeout_sec, resolve=to_loopback)
        with receiving(answer or says(200), tls=tls) as receiver:
            attempt = sender.send(url=receiver.url(PATH, host=HOST), secret=None, body=BODY, moment=NOW)
    return attempt, receiver, named


def test_the_certificate_is_that_of_the_name_though_the_connection_is_to_the_address(tmp_path: Path) -> None:
    attempt, receiver, named = over_tls(tmp_path)
    assert attempt.verdict is DeliveryVerdict.DELIVERED, attempt
    assert named == [HOST]
    assert receiver.request.headers["host"] == f"{HOST}:{receiver.port}"


def test_the_deadline_holds_under_tls_as_well(tmp_path: Path) -> None:
    attempt, _, _ = over_tls(tmp_path, answer=drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"), timeout_sec=0.5)
    assert attempt.error == "The receiver did not answer within 0.5 s."
    assert attempt.took_sec < 25


def test_a_certificate_of_another_name_is_not_accepted(tmp_path: Path) -> None:
    attempt, receiver, _ = over_tls(tmp_path, shown="other.example.org")
    assert attempt.verdict is DeliveryVerdict.RETRY
    assert attempt.error is not None
    assert "Hostname mismatch" in attempt.error
    assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority_is_not_accepted(tmp_path: Path) -> None:
    _, tls = make_certificate(tmp_path, HOST)
    with receiving(says(200), tls=tls) as receiver:
        sender = Sender(LOOPBACK, resolve=to_loopback)
        attempt = sender.send(url=receiver.url(host=HOST), secret=None, body=BODY, moment=NOW)
    assert attempt.verdict is DeliveryVerdict.RETRY
    assert receiver.requests == []
