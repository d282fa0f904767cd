"""Recordings under https:// URLs (contract 1.2): accepted with any source, and their signatures never shown."""

from __future__ import annotations

import pytest

from tests.contract.bodies import ABSENT, changed, manifest, prefix, single
from tests.contract.client import Client

URL = "https://example.com/calls/a%20b.wav"
SIGNED = f"{URL}?X-Amz-Signature=marked-signature&X-Amz-Expires=60"


@pytest.mark.parametrize("source", ["S3", "HTTPS", "https", ABSENT])
def test_a_signed_url_is_accepted_and_its_signature_never_shown(idle: Client, source: object) -> None:
    body = changed(single(SIGNED), {"input.source": source, "input.auth": ABSENT})
    answer = idle.call("POST", "/jobs", 201, json=body)
    shown = idle.call("GET", f"/jobs/{answer.body['job_id']}", 200)
    assert shown.body["input"]["uri"] == URL
    assert "marked-signature" not in (answer.content + shown.content).decode()


def test_a_manifest_of_urls_is_accepted(idle: Client) -> None:
    job = idle.echo(manifest(SIGNED, "https://example.com/b.wav"))
    assert job["input"]["manifest"] == [URL, "https://example.com/b.wav"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.wav",
        "https:///a.wav",
        "https://127.0.0.1/a.wav",
        "https://localhost/a.wav",
        "https://169.254.169.254/latest/a.wav",
        "https://[::1]/a.wav",
        "https://user:marked-word@example.com/a.wav",
    ],
)
def test_a_url_that_can_never_be_read_is_refused_at_submit(idle: Client, url: str) -> None:
    answer = idle.refused(changed(single(url), {"input.source": ABSENT}))
    assert "input.uri" in answer.fields
    assert "marked-word" not in answer.content.decode()


def test_a_folder_of_the_web_cannot_be_listed(idle: Client) -> None:
    body = prefix("https://example.com/calls/")
    assert idle.refused(changed(body, {"input.source": "HTTPS"})).fields[0].startswith("input.")


def test_nothing_is_written_to_the_web(idle: Client) -> None:
    body = single(output="https://example.com/a.json")
    assert idle.refused(changed(body, {"output.destination": "HTTPS"})).fields[0].startswith("output.")
