"""The signature of webhooks, compared with a value computed by other tools."""

from __future__ import annotations

import subprocess
import sys

import pytest

from batchscribe.webhooks.signature import find_fault, signature, verify

BODY = b'{"event_type":"job.succeeded"}'
SECRET = "whsec_test"
NOW = 1_767_638_052
#: printf 'v0:1767638052:{"event_type":"job.succeeded"}' | openssl dgst -sha256 -hmac whsec_test
SIGNED = "sha256=aed5d918a5c05e6b3fc0a4f8454c79824d92c2af55068ecaad3a9f9ae3e19f24"


def accepts(
    body: bytes = BODY, *, secret: str = SECRET, timestamp: str = str(NOW), signed: str = SIGNED, now: float = NOW
) -> bool:
    return verify(body, secret=secret, timestamp=timestamp, signature=signed, now=now)


def test_it_is_the_one_that_openssl_makes() -> None:
    assert signature(BODY, secret=SECRET, timestamp=NOW) == SIGNED


def test_what_was_signed_is_accepted() -> None:
    assert accepts()


def test_another_body_secret_or_timestamp_is_not() -> None:
    assert not accepts(BODY + b" ")
    assert not accepts(secret="other")
    assert not accepts(timestamp=str(NOW + 1))


def test_a_request_is_good_for_five_minutes_in_both_directions() -> None:
    assert accepts(now=NOW + 300)
    assert accepts(now=NOW - 300)
    assert not accepts(now=NOW + 301)
    assert not accepts(now=NOW - 301)


@pytest.mark.parametrize("timestamp", ["", " ", "1e9", "-1", "1767638052.0", "١٧٦٧", "9" * 5000, f" {NOW}", "\ud800"])
def test_a_malformed_timestamp_is_not_accepted(timestamp: str) -> None:
    assert not accepts(timestamp=timestamp)


@pytest.mark.parametrize(
    "signed",
    ["", "sha256=", SIGNED.removeprefix("sha256="), SIGNED.upper(), SIGNED + "0", "v0" + SIGNED[6:], "ä", "\ud800"],
)
def test_a_malformed_signature_is_not_accepted(signed: str) -> None:
    assert not accepts(signed=signed)


@pytest.mark.parametrize(
    ("timestamp", "signed", "now", "named"),
    [
        ("", SIGNED, NOW, "x-zm-request-timestamp is missing"),
        (str(NOW), "", NOW, "x-zm-signature is missing"),
        ("soon", SIGNED, NOW, "not a number of seconds"),
        (str(NOW), SIGNED, NOW + 1000, "off by 1000 s"),
        (str(NOW), "sha256=00", NOW, "does not match this body"),
    ],
)
def test_the_fault_is_named(timestamp: str, signed: str, now: float, named: str) -> None:
    fault = find_fault(BODY, secret=SECRET, timestamp=timestamp, signature=signed, now=now)
    assert fault is not None
    assert named in fault


def test_a_receiver_needs_nothing_but_the_standard_library() -> None:
    script = (
        "import sys; import batchscribe.webhooks.signature\n"
        "others = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(sorted(name for name in others if not name.startswith('_')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], env={}, capture_output=True, text=True, timeout=60, check=True
    )  # without the environment, in which coverage would start
    assert done.stdout == "['batchscribe']\n"
