"""The examples of `docs/webhooks.md`, run on real requests."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_network
from typing import Any

import pytest

from batchscribe.api.answer_bodies import DeliveriesBody
from batchscribe.outbound.policy import Policy
from batchscribe.webhooks.payload import render_event
from batchscribe.webhooks.sender import Sender
from batchscribe.wire.answers import JobAnswer, ProgressAnswer, SummaryAnswer
from batchscribe.wire.base import JsonObject
from batchscribe.wire.choices import JobState
from tests.documents import ROOT, code_blocks
from tests.servers.receiver import Received, receiving, says

DOCUMENT = ROOT / "docs" / "webhooks.md"
SECRET = "whsec_test"
NOW = datetime(2026, 1, 5, tzinfo=UTC)
JOB = JobAnswer(
    job_id="job_1",
    state=JobState.PARTIAL,
    submitted_at=NOW,
    completed_at=NOW,
    reference_id="ünïcode ☕",
    input={},
    output={},
    config={},
    summary=SummaryAnswer(),
    progress=ProgressAnswer(audio_sec_total=0.0),
).body()
BODY = render_event(event_id="evt_1", state=JobState.PARTIAL, moment=1_767_638_052, job=JOB)

#: Maps body, headers and secret to whether the example accepted them.
Case = tuple[bytes, dict[str, str], str]
Verify = Callable[[list[Case]], list[bool]]

AFTER_PYTHON = """
import base64, json, sys
cases = [(base64.b64decode(body), headers, secret) for body, headers, secret in json.load(sys.stdin)]
print(json.dumps([verify(*case) for case in cases]))
"""
AFTER_JS = """
const cases = JSON.parse(require("node:fs").readFileSync(0));
const answers = cases.map(([body, headers, secret]) => verify(Buffer.from(body, "base64"), headers, secret));
console.log(JSON.stringify(answers));
"""


def answers_of(command: list[str], cases: list[Case]) -> list[bool]:
    asked = json.dumps([(base64.b64encode(body).decode(), headers, secret) for body, headers, secret in cases])
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[bool] = json.loads(done.stdout)
    return answers


def in_python(cases: list[Case]) -> list[bool]:
    (example,) = code_blocks(DOCUMENT, "python")
    return answers_of([sys.executable, "-I", "-c", example + AFTER_PYTHON], cases)


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node here: apt-get install nodejs")
    return found


def in_js(cases: list[Case]) -> list[bool]:
    example, _with_express = code_blocks(DOCUMENT, "js")
    return answers_of([node(), "-e", example + AFTER_JS], cases)


@cache
def sent(age_sec: int = 0, *, secret: str | None = SECRET) -> Received:
    """Return a request that was received that many seconds ago."""
    sender = Sender(Policy(allow_networks=(ip_network("127.0.0.0/8"),), allow_http=True))
    with receiving(says(200)) as receiver:
        sender.send(url=receiver.url(), secret=secret, body=BODY, moment=time.time() - age_sec)
    return receiver.request


def case(request: Received, *, body: bytes | None = None, secret: str = SECRET, **headers: str) -> Case:
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return request.body if body is None else body, request.headers | changed, secret


@pytest.mark.parametrize("verify", [in_python, in_js])
def test_the_example_takes_what_was_sent_for_genuine(verify: Verify) -> None:
    assert verify([case(sent()), case(sent(age_sec=200))]) == [True, True]


@pytest.mark.parametrize("verify", [in_python, in_js])
def test_the_example_takes_nothing_else_for_genuine(verify: Verify) -> None:
    request = sent()
    cases = [
        case(request, body=request.body + b" "),
        case(request, secret="other"),
        case(sent(age_sec=1000)),
        case(sent(age_sec=-1000)),
        case(sent(secret=None)),
        case(request, x_zm_signature=request.headers["x-zm-signature"].upper()),
        case(request, x_zm_signature="sha256="),
        case(request, x_zm_signature="ä" * 71),
        case(request, x_zm_request_timestamp=""),
        case(request, x_zm_request_timestamp="soon"),
        case(request, x_zm_request_timestamp="9" * 5000),
        (request.body, {}, SECRET),
    ]
    assert verify(cases) == [False] * len(cases)


def test_the_express_example_is_javascript() -> None:
    script = "\n".join(code_blocks(DOCUMENT, "js"))
    subprocess.run([node(), "--check", "-"], input=script, text=True, timeout=60, check=True)


def test_the_example_of_an_event_has_the_fields_of_one() -> None:
    example, _deliveries = code_blocks(DOCUMENT, "json")
    assert fields(json.loads(example)) == fields(json.loads(BODY))


def test_the_example_of_deliveries_has_their_fields() -> None:
    _event, example = code_blocks(DOCUMENT, "json")
    found = DeliveriesBody.model_validate_json(example, extra="forbid")
    [delivery] = found.deliveries
    assert delivery.body() == json.loads(example)["deliveries"][0]


def fields(event: JsonObject) -> list[Any]:
    """Return the names of the fields, in order. Values sent by the client are echoed unchanged."""
    return [list(event), list(event["job"]), list(event["job"]["summary"])]
