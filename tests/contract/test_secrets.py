"""Secrets appear nowhere: not in the database, the log, an answer, a transcript or a webhook (contract 1 to 3).

One server runs through everything here. Then all that it wrote and sent is searched.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.bodies import MARKS, changed, hook, manifest, many, prefix, single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.receiver import Receiver, Reply
from tests.contract.server import Key, Server
from tests.contract.strict import Json
from tests.contract.tokens import token
from tests.databases import stored_bytes
from tests.servers.s3_server import S3Server

SIGNATURE = "X-Amz-Signature=marked-url-signature-Rb64"
HOOK_QUERY = "marked-hook-query-Tn95"
IDEMPOTENCY_KEY = "an idempotency key"


@dataclass(slots=True)
class Story:
    """What was done, and with which secrets."""

    server: Server
    client: Client
    key: Key
    jwt: str
    bucket: str
    receiver: Receiver

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*MARKS, "marked-url-signature-Rb64", HOOK_QUERY, self.key.api_secret, self.jwt)


@pytest.fixture(scope="module")
def story(start_server: StartServer, moto_s3: S3Server, wav: bytes, receiver: Receiver) -> Iterator[Story]:
    server = start_server("--no-worker", BATCHSCRIBE_LOG_LEVEL="debug", BATCHSCRIBE_WEBHOOK_PROCESSING="true")
    key = server.new_key("careful")
    word = token(key)
    bucket = moto_s3.new_bucket(**{"a.wav": wav})
    with client_of(server, key).but(Authorization=f"Bearer {word}") as client:
        story = Story(server, client, key, word, bucket, receiver)
        make_mistakes(story)
        live(story)
        assert server.stop() == 0
        yield story


def live(story: Story) -> None:
    """Run jobs to cancellation, success, partial success and failure. The event of each is delivered, except one.

    The worker starts after the cancellation, because otherwise it might end those jobs before.
    """
    client, told = story.client, story.receiver.hook(path=f"/told?{HOOK_QUERY}")
    down = story.receiver.hook(Reply(503), path=f"/down?{HOOK_QUERY}")
    there, missing = f"s3://{story.bucket}/a.wav", f"s3://{story.bucket}/missing.wav"
    out, events = f"s3://{story.bucket}/out/", hook(told.url)
    signed = changed(single(f"https://example.com/a.wav?{SIGNATURE}", f"{out}b.json"), {"input.auth": None})
    bodies = [
        single(there, f"{out}a.json", notifications=events),
        manifest(there, missing, output=out, notifications=events),
        prefix("s3://there-is-no-such-bucket/", out, notifications=events),
        single(missing, f"{out}c.json", notifications=hook(down.url)),
    ]
    canceled = [
        client.submit(body) for body in (manifest(*many(story.bucket, 300), output=out, notifications=events), signed)
    ]
    for job_id in canceled:
        client.cancel(job_id)
    ids = [
        client.submit(body, {"Idempotency-Key": f"{IDEMPOTENCY_KEY} {number}"}) for number, body in enumerate(bodies)
    ]
    with story.server.working():
        for job_id in (*ids, *canceled):
            client.ended(job_id)
            client.files(job_id)
        client.jobs()
        told.wait_for(4 + len(ids) - 1)
        down.wait_for(2)


def make_mistakes(story: Story) -> None:
    """Send bodies that are rejected, with secrets in the right and in wrong fields."""
    client = story.client
    with_hook = single(notifications=hook(f"https://example.com/?{HOOK_QUERY}"))
    for changes in (
        {"config.timestamps": MARKS[1]},
        {"input.auth.aws.secret_access_key": [MARKS[1]]},
        {"input.auth.aws.session_token": {"x": MARKS[2]}},
        {"notifications.webhook_url": f"https://10.0.0.1/?{HOOK_QUERY}"},
        {"notifications.webhook_url": f"ftp://example.com/?{HOOK_QUERY}"},
        {"notifications.secret": [MARKS[3]]},
        {"notifications.secret": MARKS[3] * 20},
        {"input.uri": f"https://169.254.169.254/a.wav?{SIGNATURE}"},
        {"input.uri": f"gs://calls/a.wav?{SIGNATURE}"},
        {"output.destination": MARKS[0]},
        {"input.mode": MARKS[0]},
    ):
        client.refused(changed(with_hook, changes))
    content = json.dumps(with_hook)[:-1].encode()
    client.call("POST", "/jobs", 400, content=content, headers={"Content-Type": "application/json"})
    client.call("POST", "/jobs", 415, content=content, headers={"Content-Type": "text/plain"})
    client.call("GET", "/jobs", 400, params={"next_page_token": MARKS[1], "state": MARKS[1]})
    client.but(x_api_key=story.key.api_secret + "x").call("GET", "/jobs", 401)
    client.but(x_api_key=story.key.api_secret).call("GET", "/jobs", 200)
    client.call("POST", "/jobs", json=with_hook, params={"dry_run": "true"})


def assert_clean(story: Story, what: str, content: bytes) -> None:
    found = [secret for secret in story.secrets if secret.encode() in content]
    assert found == [], f"in {what}"


def test_neither_the_database_nor_a_file_of_the_data_directory_has_a_secret(story: Story) -> None:
    stored = stored_bytes(story.server.database_url)
    assert story.bucket.encode() in stored
    assert_clean(story, "the database", stored)
    for path in story.server.data_dir.rglob("*"):
        if path.is_file():
            assert_clean(story, path.name, path.read_bytes())


def test_no_line_of_the_log_has_a_secret(story: Story) -> None:
    text = story.server.log_text()
    assert '"tracking_id"' in text
    assert_clean(story, "the log", text.encode())
    assert_clean(story, "the output", story.server.printed().encode())


def test_no_log_has_the_text_of_a_transcript(story: Story) -> None:
    assert "quick brown" not in story.server.log_text()


def test_no_answer_has_a_secret(story: Story) -> None:
    assert len(story.client.seen) > 20
    for answer in story.client.seen:
        assert_clean(story, "an answer", answer.content + str(answer.headers).encode())


def test_no_answer_has_the_address_of_a_webhook(story: Story) -> None:
    assert not [answer for answer in story.client.seen if b"/told" in answer.content]


def test_no_object_that_was_written_has_a_secret(story: Story, moto_s3: S3Server) -> None:
    client = moto_s3.client()
    written = client.list_objects_v2(Bucket=story.bucket, Prefix="out/")["Contents"]
    assert written
    for entry in written:
        stored = client.get_object(Bucket=story.bucket, Key=entry["Key"])
        assert_clean(story, entry["Key"], stored["Body"].read() + str(stored["Metadata"]).encode())


def test_no_webhook_has_a_secret(story: Story) -> None:
    deliveries = [delivery for told in story.receiver.hooks.values() for delivery in told.deliveries]
    assert deliveries
    for delivery in deliveries:
        assert_clean(story, "a webhook", delivery.raw_body + str(delivery.headers).encode())


def test_only_the_owner_may_read_what_opens_the_secrets(story: Story) -> None:
    keys = [path for path in story.server.data_dir.rglob("*") if "key" in path.name.lower()]
    given = "BATCHSCRIBE_SECRET_KEY" in story.server.environment
    assert [stat.S_IMODE(path.stat().st_mode) for path in keys] == ([] if given else [0o600])


def test_a_given_sealing_key_is_not_written_down(start_server: StartServer) -> None:
    key = "bWFya2VkLXNlYWxpbmcta2V5LTMyLWJ5dGVzLUxjNzg="
    server = start_server("--no-worker", BATCHSCRIBE_SECRET_KEY=key)
    with client_of(server, server.new_key("careful")) as client:
        client.submit(single())
    assert server.stop() == 0
    assert key.rstrip("=").encode() not in stored_bytes(server.database_url)
    for path in (*server.data_dir.rglob("*"), server.folder / "stderr.txt"):
        assert not has(path, key.rstrip("=")), path


def has(path: Path, text: str) -> bool:
    return path.is_file() and text.encode() in path.read_bytes()


def test_the_credentials_of_a_job_that_ended_are_gone_from_its_record(story: Story) -> None:
    """The job is shown without them: they cannot be read back."""
    bodies: list[Json] = [answer.body for answer in story.client.seen if answer.status == 200]
    assert not [body for body in bodies if "auth" in json.dumps(body)]
