"""`batchscribe webhooks listen` as a person runs it, with requests as a server sends them."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import httpx2
import pytest

from batchscribe.outbound.policy import Policy
from batchscribe.webhooks.payload import Attempt, DeliveryVerdict, render_event
from batchscribe.webhooks.sender import Sender
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState
from tests.integration.command import END_SEC, Command, Started

SECRET = "whsec_test"
JOB: JsonObject = {"job_id": "job_1", "state": "PARTIAL", "summary": {"succeeded": 39, "failed": 1}}
BODY = render_event(event_id="evt_1", state=JobState.PARTIAL, moment=1_767_638_052, job=JOB)
SENDER = Sender(Policy(allow_networks=(ip_network("127.0.0.0/8"),), allow_http=True))


@dataclass(frozen=True)
class Listener:
    process: Started
    url: str
    ready: str  #: the line that it printed when it was ready

    def send(self, *, secret: str | None = SECRET, moment: float | None = None) -> Attempt:
        return SENDER.send(url=self.url, secret=secret, body=BODY, moment=moment or time.time())

    def post(self, body: bytes, **headers: str) -> httpx2.Response:
        return httpx2.post(self.url, content=body, headers=headers, trust_env=False)

    def ended(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, list[str], str]:
        """End the command. Return the exit status and the output."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=END_SEC)
        return self.process.wait(), out.splitlines(), err


@contextmanager
def listening(folder: Path, *words: str) -> Iterator[Listener]:
    with Command(folder).started("webhooks", "listen", "--port", "0", *words) as process:
        assert process.stderr is not None
        ready = process.stderr.readline()
        found = re.search(r"http://\S+/", ready)
        assert found, ready
        yield Listener(process, found[0], ready)


def test_each_event_is_a_line_that_says_whether_its_signature_is_right(tmp_path: Path) -> None:
    with listening(tmp_path, "--secret", SECRET) as listener:
        good = listener.send()
        wrong = listener.send(secret="other")
        unsigned = listener.send(secret=None)
        old = listener.send(moment=time.time() - 1000)
        _, lines, err = listener.ended()
    assert good.verdict is DeliveryVerdict.DELIVERED
    assert [attempt.status for attempt in (wrong, unsigned, old)] == [401, 401, 401]
    assert len(lines) == 4
    said = "job.partial  job_1  PARTIAL  39 succeeded, 1 failed  signature "
    assert lines[0].endswith(f"{said}ok")
    assert f"{said}WRONG: x-zm-signature does not match" in lines[1]
    assert f"{said}WRONG: x-zm-signature is missing" in lines[2]
    assert f"{said}WRONG: x-zm-request-timestamp is off by 100" in lines[3]
    assert err == ""


def test_without_a_secret_it_says_that_nothing_is_checked(tmp_path: Path) -> None:
    with listening(tmp_path) as listener:
        assert "not checked" in listener.ready
        assert listener.send().verdict is DeliveryVerdict.DELIVERED
        _, lines, _ = listener.ended()
    assert lines[0].endswith("signature not checked")


def test_json_is_one_line_an_event_and_nothing_else(tmp_path: Path) -> None:
    with listening(tmp_path, "--secret", SECRET, "--json") as listener:
        listener.send()
        listener.send(secret="other")
        _, lines, _ = listener.ended()
    arrivals = [json.loads(line) for line in lines]
    assert [arrival["signature"] for arrival in arrivals] == ["ok", "wrong"]
    assert arrivals[0]["event"] == json.loads(BODY)


def test_what_it_answers_is_what_receivers_answer(tmp_path: Path) -> None:
    with listening(tmp_path) as listener:
        answer = listener.post(BODY)
        assert (answer.status_code, answer.json()) == (200, {"status": "received"})
        assert listener.post(b"no event").status_code == 400
        assert listener.post(b"x" * (2**20 + 1)).status_code == 413
        assert httpx2.post(listener.url, content=iter([BODY]), trust_env=False).status_code == 411
        _, lines, err = listener.ended()
    assert len(lines) == 1
    assert err == "8 bytes that are not an event were answered with 400.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_even_during_a_request(number: signal.Signals, tmp_path: Path) -> None:
    with listening(tmp_path) as listener:
        url = httpx2.URL(listener.url)
        with socket.create_connection((url.host, url.port or 0)) as unfinished:
            unfinished.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
            assert listener.ended(number) == (0, [], "")


def test_a_port_in_use_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = Command(tmp_path).run("webhooks", "listen", "--port", str(port))
    assert (result.status, result.out) == (2, "")
    assert result.err == f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port.\n"
