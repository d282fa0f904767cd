"""Credentials that a person sends on the page of a job: to renew those of a running one, or to retry an ended one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.tab import Tab
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.strict import Json
from tests.integration.command import wait_until
from tests.recordings import write_wav
from tests.servers.bucket import Bucket, refusal, serving_bucket
from tests.servers.gcs_bucket import GcsBucket, serving_gcs
from tests.servers.scripted import Asked, Reply

RECORDINGS, TRANSCRIPTS = "For the recordings", "For the transcripts"


def aws(token: str) -> Json:
    return {"aws": {"access_key_id": "a", "secret_access_key": "b", "session_token": token}}


def only_with(tokens: dict[str, str]) -> Callable[[Asked], Reply | None]:
    """Each folder of the bucket has a token of its own; only listings need none."""

    def check(asked: Asked) -> Reply | None:
        for folder, token in tokens.items():
            if f"/{folder}" in asked.path:
                is_right = asked.headers.get("x-amz-security-token") == token
                return None if is_right else refusal(400, "ExpiredToken")
        return None

    return check


@pytest.fixture
def tokens() -> dict[str, str]:
    """The valid tokens of the bucket by folder. A test may change them."""
    return {"calls/": "old-in", "out/": "old-out"}


@pytest.fixture
def bucket(tokens: dict[str, str]) -> Iterator[Bucket]:
    with serving_bucket({}, only_with(tokens)) as bucket:
        yield bucket


@pytest.fixture
def gcs() -> Iterator[GcsBucket]:
    with serving_gcs({}) as gcs:
        gcs.tokens.add("old-out")
        yield gcs


@pytest.fixture
def wav(tmp_path: Path) -> bytes:
    path = tmp_path / "a.wav"
    write_wav(path)
    return path.read_bytes()


@pytest.fixture
def own(start_server: StartServer, open_tab: OpenTab, bucket: Bucket, gcs: GcsBucket) -> Iterator[tuple[Tab, Client]]:
    """A tab and a client of a server for both buckets."""
    server = start_server(BATCHSCRIBE_S3_ENDPOINT=bucket.endpoint, BATCHSCRIBE_GCS_ENDPOINT=gcs.url)
    key = server.new_key("alice")
    tab = open_tab(server.url)
    tab.sign_in(key.api_secret)
    with ExitStack() as stack:
        yield tab, stack.enter_context(client_of(server, key))
    server.kill()


def fill_keys(page: Page, legend: str, secret: str) -> None:
    group = page.get_by_role("group", name=legend)
    group.get_by_label("Access key ID").fill("fresh")
    group.get_by_label("Secret access key").fill(secret)


def job_of(output: str, auth: Json) -> Json:
    return {
        "input": {"uri": "s3://bucket/calls/a.wav", "auth": aws("old-in")},
        "output": {"uri": output, "auth": auth},
        "config": {"language": "en-US", "segmentation_mode": "none"},
    }


def test_a_retry_takes_the_keys_of_two_clouds(
    own: tuple[Tab, Client], bucket: Bucket, gcs: GcsBucket, tokens: dict[str, str], wav: bytes
) -> None:
    tab, client = own
    job_id = client.done(job_of("gs://bucket/out/", {"gcp": {"access_token": "old-out"}}))["job_id"]
    bucket.objects["calls/a.wav"] = wav
    tokens["calls/"] = "fresh-in"
    gcs.tokens = {"fresh-out"}
    page = tab.open(f"/jobs/{job_id}")
    page.get_by_text("Retry what failed…").click()
    tab.check_accessible()
    fill_keys(page, RECORDINGS, "fresh")
    page.get_by_role("group", name=RECORDINGS).get_by_label("Session token").fill("fresh-in")
    assert page.get_by_role("group", name=RECORDINGS).get_by_label("Or an access token").count() == 0
    page.get_by_role("group", name=TRANSCRIPTS).get_by_label("Or an access token").fill("fresh-out")
    page.get_by_role("button", name="Retry what failed").click()
    page.locator(".status .badge", has_text="Succeeded").wait_for()
    assert "out/a.json" in gcs.objects


def test_a_retry_takes_two_different_keys_of_one_cloud(
    own: tuple[Tab, Client], bucket: Bucket, tokens: dict[str, str], wav: bytes
) -> None:
    tab, client = own
    job_id = client.done(job_of("s3://bucket/out/", aws("old-out")))["job_id"]
    bucket.objects["calls/a.wav"] = wav
    tokens |= {"calls/": "fresh-in", "out/": "fresh-out"}
    page = tab.open(f"/jobs/{job_id}")
    page.get_by_text("Retry what failed…").click()
    for legend, token in ((RECORDINGS, "fresh-in"), (TRANSCRIPTS, "fresh-out")):
        fill_keys(page, legend, "fresh")
        page.get_by_role("group", name=legend).get_by_label("Session token").fill(token)
    page.get_by_role("button", name="Retry what failed").click()
    page.locator(".status .badge", has_text="Succeeded").wait_for()
    assert "out/a.json" in bucket.objects


@pytest.fixture
def waiting(own: tuple[Tab, Client], bucket: Bucket, tokens: dict[str, str], wav: bytes) -> str:
    """The ID of a job that waits for fresh credentials."""
    _, client = own
    bucket.objects["calls/a.wav"] = wav
    tokens["calls/"] = "fresh-in"
    body = job_of("s3://bucket/out/", aws("old-out"))
    body["input"]["uri"] = "s3://bucket/calls/"
    job_id = client.submit(body)
    wait_until(lambda: "waiting_for" in client.job(job_id))
    return job_id


def test_both_keys_of_a_running_job_are_renewed(
    own: tuple[Tab, Client], bucket: Bucket, tokens: dict[str, str], waiting: str
) -> None:
    tab, _ = own
    tokens["out/"] = "fresh-out"
    page = tab.open(f"/jobs/{waiting}")
    for legend, token in ((RECORDINGS, "fresh-in"), (TRANSCRIPTS, "fresh-out")):
        fill_keys(page, legend, "fresh")
        page.get_by_role("group", name=legend).get_by_label("Session token").fill(token)
    page.get_by_role("button", name="Send credentials").click()
    page.locator(".status .badge", has_text="Succeeded").wait_for()
    assert "out/a.json" in bucket.objects


def test_the_form_for_fresh_credentials_goes_with_the_end_of_the_job(
    own: tuple[Tab, Client], bucket: Bucket, waiting: str
) -> None:
    tab, client = own
    page = tab.open(f"/jobs/{waiting}")
    page.get_by_role("button", name="Send credentials").wait_for()
    del bucket.objects["calls/a.wav"]
    client.call("PUT", f"/jobs/{waiting}/credentials", 204, json={"input": {"auth": aws("fresh-in")}})
    page.get_by_text("Retry what failed…").click()
    expect(page.get_by_text("Fresh credentials…")).to_have_count(0)
    expect(page.get_by_label("Access key ID")).to_have_count(2)  # one for each side
    ids = page.eval_on_selector_all("[id]", "found => found.map(each => each.id)")
    assert len(ids) == len(set(ids))


def test_a_retry_asks_for_credentials_that_are_gone(alice: Tab, client: Client) -> None:
    keys = {"aws": {"access_key_id": "a", "secret_access_key": "b"}}
    missing = {"uri": "s3://no-such-bucket/a.wav", "auth": keys}
    job_id = client.done({"input": missing, "output": {"uri": "s3://no-such-bucket/out/"}})["job_id"]
    page = alice.open(f"/jobs/{job_id}")
    page.get_by_text("Retry what failed…").click()
    alice.check_accessible()
    page.get_by_role("button", name="Retry what failed").click()
    page.wait_for_url("**/retry")
    expect(page.get_by_role("main")).to_contain_text("credentials")
    page.go_back()
    page.get_by_text("Retry what failed…").click()
    fill_keys(page, "For the recordings", "fresh")
    with page.expect_response("**/retry") as answered:
        page.get_by_role("button", name="Retry what failed").click()
    assert answered.value.status == 303
    client.ended(job_id)


def test_fresh_credentials_can_be_sent_to_a_job_that_runs(start_server: StartServer, open_tab: OpenTab) -> None:
    server = start_server("--no-worker")
    key = server.new_key("alice")
    keys = {"aws": {"access_key_id": "a", "secret_access_key": "b"}}
    body = {"input": {"uri": "s3://calls/a/", "auth": keys}, "output": {"uri": "s3://calls/out/"}}
    with client_of(server, key) as client:
        job_id = client.submit(body)
    tab = open_tab(server.url)
    tab.sign_in(key.api_secret)
    page = tab.open(f"/jobs/{job_id}")
    page.get_by_text("Fresh credentials…").click()
    fill_keys(page, "For the recordings", "fresh-secret")
    page.get_by_role("button", name="Send credentials").click()
    expect(page.get_by_role("button", name="Send credentials")).to_be_hidden()  # as on every new page
    page.wait_for_load_state()
    [line] = [line for line in server.log_lines() if line["event"] == "job.credentials_renewed"]
    assert line["job_id"] == job_id
    assert "fresh-secret" not in page.content()
