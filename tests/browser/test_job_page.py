"""What people do on the page of a job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from batchscribe.web.next_steps import NEXT_STEPS
from tests.browser.conftest import OpenTab
from tests.browser.jobs import folder_of, job_for, mixed_job
from tests.browser.tab import CONNECTED, Tab
from tests.contract.bodies import hook, single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.conftest import receiver as receiver
from tests.contract.receiver import Receiver, Reply
from tests.contract.server import Key
from tests.integration.command import wait_until
from tests.recordings import write_wav


@pytest.fixture(scope="module")
def job_id(client: Client, recordings: Path) -> str:
    return mixed_job(client, recordings, "job-page", reference_id="calls")


def names(tab: Tab) -> Locator:
    return tab.page.locator(".files .name > :first-child")


def test_it_shows_each_file_with_its_error_in_words(alice: Tab, job_id: str) -> None:
    page = alice.open(f"/jobs/{job_id}")
    row = page.get_by_role("row").filter(has_text="broken.wav")
    expect(row).to_contain_text("Failed")
    expect(row).to_contain_text(re.compile("CORRUPT|UNSUPPORTED"))
    assert row.locator(".step").inner_text() in NEXT_STEPS.values()
    expect(page.get_by_role("link", name="call-0.wav")).to_be_visible()
    expect(page.get_by_role("link", name="broken.wav")).to_have_count(0)  # it has no transcript to read


def test_a_file_skipped_because_of_its_transcript_leads_to_it(alice: Tab, client: Client, recordings: Path) -> None:
    folder = folder_of(recordings, "again", 1)
    (folder / "notes.txt").write_text("not a recording")
    first = client.done(job_for(folder))["job_id"]
    second = client.done(job_for(folder))["job_id"]
    assert [file["state"] for file in client.files(second)] == ["FILE_SKIPPED", "FILE_SKIPPED"]
    text = alice.open(f"/jobs/{first}/files/f_000001").locator("article .text").first.inner_text()
    page = alice.open(f"/jobs/{second}")
    expect(page.get_by_role("link", name="notes.txt")).to_have_count(0)  # it is no recording
    page.get_by_role("link", name="call-0.wav").click()
    expect(page.locator("article .text").first).to_have_text(text)


def test_files_are_filtered_by_state_and_name(alice: Tab, job_id: str) -> None:
    page = alice.open(f"/jobs/{job_id}")
    page.get_by_label("State").select_option("FILE_FAILED")
    page.get_by_role("button", name="Show").click()
    expect(names(alice)).to_have_text(["broken.wav"])
    page.get_by_label("State").select_option("")
    page.get_by_label("Name").fill("CALL-")
    page.keyboard.press("Enter")
    page.wait_for_url("**name=CALL-**")
    expect(names(alice)).to_have_text(["call-0.wav"])
    page.get_by_label("Name").fill("%")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("No file matches.").wait_for()


def test_a_count_leads_to_its_files(alice: Tab, job_id: str) -> None:
    page = alice.open(f"/jobs/{job_id}")
    page.locator(".facts div", has_text="Skipped").get_by_role("link").click()
    page.wait_for_url("**state=FILE_SKIPPED**")
    expect(names(alice)).to_have_text(["notes.txt"])


def test_pages_of_files_lead_to_each_other(alice: Tab, client: Client, recordings: Path) -> None:
    folder = folder_of(recordings, "many-files", 0)
    for number in range(60):
        (folder / f"notes-{number}.txt").touch()  # skipped at once
    job = client.done(job_for(folder))
    page = alice.open(f"/jobs/{job['job_id']}")
    expect(names(alice)).to_have_count(50)
    page.get_by_role("link", name="More files").click()
    page.wait_for_url("**after=50**")
    expect(names(alice)).to_have_count(10)
    page.get_by_role("link", name="First files").click()
    page.wait_for_url(f"**/jobs/{job['job_id']}?#files")
    expect(names(alice)).to_have_count(50)


@pytest.fixture(scope="module")
def patient(start_server: StartServer) -> Iterator[tuple[Client, Key]]:
    """A tenant of a server without workers: its jobs do not end by themselves."""
    server = start_server("--no-worker")
    key = server.new_key("alice")
    with client_of(server, key) as client:
        yield client, key


def test_a_job_is_canceled_after_a_question(patient: tuple[Client, Key], open_tab: OpenTab) -> None:
    client, key = patient
    job_id = client.submit(single())
    tab = open_tab(client.url)
    tab.sign_in(key.api_secret)
    page = tab.open(f"/jobs/{job_id}")
    page.get_by_text("Cancel…").click()
    page.get_by_role("button", name="Cancel this job").click()
    page.locator(".status .badge", has_text="Canceled").wait_for()
    assert client.job(job_id)["state"] == "CANCELED"
    expect(page.get_by_text("Cancel…")).to_have_count(0)


def test_a_question_stays_open_while_the_page_is_updated(patient: tuple[Client, Key], open_tab: OpenTab) -> None:
    client, key = patient
    job_id = client.submit(single())
    tab = open_tab(client.url)
    tab.sign_in(key.api_secret)
    page = tab.open(f"/jobs/{job_id}")
    page.get_by_text("Delete…").click()
    page.wait_for_function(CONNECTED)
    client.cancel(job_id)
    page.locator("#live .badge", has_text="Canceled").wait_for()
    expect(page.get_by_role("button", name="Delete this job")).to_be_visible()
    page.get_by_role("button", name="Delete this job").click()
    page.wait_for_url(f"{tab.url}/")
    expect(page.locator(f"#row-{job_id}")).to_have_count(0)
    assert client.call("GET", f"/jobs/{job_id}").status == 404
    expect(tab.open(f"/jobs/{job_id}").get_by_role("heading", level=1)).to_have_text("Not found")


def test_what_failed_is_retried(alice: Tab, client: Client, recordings: Path) -> None:
    job_id = mixed_job(client, recordings, "to-retry")
    write_wav(recordings / "to-retry" / "broken.wav")  # mended
    page = alice.open(f"/jobs/{job_id}")
    page.get_by_text("Retry what failed…").click()
    page.get_by_role("button", name="Retry what failed").click()
    page.locator(".status .badge", has_text="Succeeded").wait_for()
    page.reload()
    expect(page.get_by_role("link", name="broken.wav")).to_be_visible()
    expect(page.get_by_text("Retry what failed…")).to_have_count(0)
    assert client.job(job_id)["summary"]["failed"] == 0


def test_a_delivery_is_shown_and_sent_again(alice: Tab, client: Client, recordings: Path, receiver: Receiver) -> None:
    wanted = receiver.hook(Reply(status=410))
    folder = folder_of(recordings, "delivered", 1)
    job_id = client.submit(job_for(folder, notifications=hook(wanted.url)))
    page = alice.open(f"/jobs/{job_id}")
    section = page.locator("#deliveries")
    expect(section).to_contain_text("HTTP 410")
    expect(section.get_by_role("heading", name="Webhook deliveries")).to_be_visible()
    assert wanted.url not in page.content(), "the address of a webhook is a secret"
    alice.check_accessible()
    section.get_by_role("button", name="Send again").click()
    page.wait_for_url(f"{alice.url}/jobs/{job_id}#deliveries")
    wanted.wait_for(2)


def test_the_echo_of_the_request_has_no_secrets(alice: Tab, client: Client) -> None:
    secret = "marked-secret-of-the-echo"
    body = {
        "input": {"uri": "s3://calls/a/", "auth": {"aws": {"access_key_id": secret, "secret_access_key": secret}}},
        "output": {"uri": "s3://calls/out/"},
        "notifications": {"webhook_url": f"https://example.org/{secret}", "secret": secret},
    }
    page = alice.open(f"/jobs/{client.done(body)['job_id']}")
    assert "s3://calls/a/" in page.content()
    assert secret not in page.content()


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_retry_without_an_event_at_its_end_says_so(
    start_server: StartServer, open_tab: OpenTab, receiver: Receiver, tmp_path: Path, has_scripts: bool
) -> None:
    server = start_server(BATCHSCRIBE_WEBHOOK_KEEP_SEC="0", BATCHSCRIBE_FILE_ROOTS=str(tmp_path))
    key, told = server.new_key("alice"), receiver.hook()
    with client_of(server, key) as client:
        job_id = mixed_job(client, tmp_path, "silent", notifications=hook(told.url))
        wait_until(lambda: not client.get(f"/jobs/{job_id}/deliveries")["can_replay"])  # it is delivered
    tab = open_tab(server.url, java_script_enabled=has_scripts)
    tab.sign_in(key.api_secret)
    page = tab.open(f"/jobs/{job_id}")
    page.locator("#deliveries", has_text="Delivered").get_by_text("no longer stored").wait_for()
    page.get_by_text("Retry what failed…").click()
    page.get_by_role("button", name="Retry what failed").click()
    page.get_by_text("no event is sent when the job ends again").wait_for()
    assert "no event is sent" not in tab.open(f"/jobs/{job_id}").content()


def test_the_id_of_a_job_is_copied(alice: Tab, job_id: str) -> None:
    alice.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = alice.open(f"/jobs/{job_id}")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == job_id
