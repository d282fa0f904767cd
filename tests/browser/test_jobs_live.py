"""Pages that follow their jobs while they run."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from batchscribe.web.live import PER_TENANT
from tests.browser.conftest import WAIT_MS, OpenTab
from tests.browser.jobs import folder_of, job_for
from tests.browser.tab import CONNECTED, Tab
from tests.contract.bodies import hook, single
from tests.contract.client import Client
from tests.contract.conftest import StartServer, client_of
from tests.contract.conftest import receiver as receiver
from tests.contract.receiver import Receiver
from tests.contract.server import Key, Server
from tests.integration.command import wait_until
from tests.servers.bucket import serving_bucket
from tests.servers.scripted import Asked


def test_the_list_shows_a_new_job_and_its_end_without_a_reload(
    alice: Tab, server: Server, alice_key: Key, recordings: Path
) -> None:
    page = alice.open("/")
    page.evaluate("window.stayed = true")
    with client_of(server, alice_key) as client:
        job_id = client.submit(job_for(folder_of(recordings, "list-live", 3)))
    row = page.locator(f"#row-{job_id}")
    row.get_by_text("Succeeded").wait_for()
    expect(row).to_contain_text("3 of 3")
    assert page.evaluate("window.stayed")


def test_the_page_of_a_job_shows_its_end_without_a_reload(
    start_server: StartServer, open_tab: OpenTab, recordings: Path
) -> None:
    """The work begins once the page is open."""
    server = start_server("--no-worker")
    key = server.new_key("alice")
    tab = open_tab(server.url)
    tab.sign_in(key.api_secret)
    with client_of(server, key) as client:
        job_id = client.submit(job_for(folder_of(recordings, "job-live", 3)))
        page = tab.open(f"/jobs/{job_id}")
        page.evaluate("window.stayed = true")
        expect(page.locator(".status .badge")).to_have_text("Queued")
        with server.working():
            expect(page.locator(".status .badge")).to_have_text("Succeeded")
        expect(page.locator("#live")).to_contain_text("3 of 3 files done")
        assert page.evaluate("window.stayed")
        assert client.job(job_id)["state"] == "SUCCEEDED"


def test_a_job_opened_right_after_its_submission_shows_its_files_and_deliveries_at_its_end(
    start_server: StartServer, open_tab: OpenTab, receiver: Receiver, recordings: Path
) -> None:
    listed, told = threading.Event(), receiver.hook()
    wav = next(folder_of(recordings, "live-files", 1).iterdir()).read_bytes()

    def hold(_asked: Asked) -> None:
        listed.wait(60)

    with serving_bucket({f"calls/call-{number}.wav": wav for number in range(5)}, hold) as bucket:
        server = start_server(BATCHSCRIBE_S3_ENDPOINT=bucket.endpoint)
        key = server.new_key("alice")
        tab = open_tab(server.url)
        tab.sign_in(key.api_secret)
        with client_of(server, key) as client:
            body = {"input": {"uri": "s3://bucket/calls/"}, "output": {"uri": "s3://bucket/out/"}}
            job_id = client.submit(body | {"notifications": hook(told.url)})
        page = tab.open(f"/jobs/{job_id}")
        page.wait_for_function(CONNECTED)
        page.locator(".status", has_text="Looking for recordings").wait_for()
        page.evaluate("window.stayed = true; window.told = document.querySelector('.status [role=status]')")
        expect(page.get_by_text("No file has been found yet.")).to_be_visible()
        listed.set()
        page.get_by_role("link", name="call-4.wav").wait_for()
        page.locator("#deliveries .badge", has_text="Delivered").wait_for()
        server.kill()
    expect(page.locator(".files .badge", has_text="Succeeded")).to_have_count(5)
    expect(page.locator("#files")).not_to_contain_text("No file has been found")
    assert page.evaluate("window.stayed && told.isConnected && told.innerText.trim()") == "Succeeded", "it is announced"
    expect(page.locator("[role=status] .counts, [role=status] time")).to_have_count(0)  # counters would chatter
    tab.check_accessible()
    tab.problems.clear()


def test_an_open_page_keeps_a_filter_and_a_search(
    start_server: StartServer, open_tab: OpenTab, recordings: Path
) -> None:
    """The work begins once both pages are open."""
    server = start_server("--no-worker")
    key = server.new_key("alice")
    with client_of(server, key) as client:
        job_id = client.submit(job_for(folder_of(recordings, "live-filter", 30)))
        filtering, searching = open_tab(server.url), open_tab(server.url)
        for tab in (filtering, searching):
            tab.sign_in(key.api_secret)
        filtered = filtering.open(f"/jobs/{job_id}?state=FILE_SUCCEEDED")
        filtered.get_by_label("Name").fill("typed")
        filtered.wait_for_function(CONNECTED)
        searched = searching.open(f"/jobs/{job_id}?name=call-2")
        searched.wait_for_function(CONNECTED)
        with server.working():
            filtered.get_by_role("link", name="call-0.wav").wait_for()
            assert set(filtered.locator(".files .badge").all_inner_texts()) == {"Succeeded"}
            assert filtered.get_by_label("Name").input_value() == "typed"
            searched.get_by_text("The files have changed since this search.").wait_for()
            client.ended(job_id)
            searched.get_by_role("link", name="Search again").click()
    expect(searched.locator(".files .badge", has_text="Succeeded")).to_have_count(11)
    expect(searched.locator(".files .name > :first-child")).to_have_count(11)
    expect(searched.get_by_label("Name")).to_have_value("call-2")


def test_the_time_left_falls_on_open_pages_while_nothing_changes(start_server: StartServer, open_tab: OpenTab) -> None:
    server = start_server("--no-worker")
    key = server.new_key("alice")
    with client_of(server, key) as client:
        job_id = client.submit(single())
    half_done = (
        "UPDATE job SET state = 'PROCESSING', total_files = 10, succeeded = 5, audio_sec = 500,"
        " estimated_audio_sec = 1000, estimated_done_sec = 500, begun_at = :now - 1000, changed_at = :now"
    )
    with closing(sqlite3.connect(server.data_dir / "batchscribe.db", timeout=30)) as database, database:
        database.execute(half_done, {"now": time.time()})
    tab = open_tab(server.url)
    tab.sign_in(key.api_secret)
    for path in ("/", f"/jobs/{job_id}"):
        left = tab.open(path).get_by_text(re.compile("about 1[0-6] min [0-9]{2} s left"))
        shown = left.inner_text()
        expect(left).not_to_have_text(shown, timeout=2 * WAIT_MS)
        assert left.inner_text() < shown, "it falls"


def test_a_job_that_is_deleted_elsewhere_says_so(alice: Tab, client: Client, recordings: Path) -> None:
    job_id = str(client.done(job_for(folder_of(recordings, "live-deleted", 1)))["job_id"])
    page = alice.open(f"/jobs/{job_id}")
    page.wait_for_function(CONNECTED)
    page.get_by_text("Delete…").click()
    client.call("DELETE", f"/jobs/{job_id}?purge=true", 204)
    expect(page.get_by_role("alert")).to_contain_text("This job was deleted.")
    expect(page.get_by_role("button").filter(visible=True)).to_have_text(["Sign out", "Copy"])
    page.wait_for_function("!document.getElementById('live')._htmx?.sse")  # it does not ask again
    expect(page.locator("#stale")).to_be_hidden()
    page.get_by_role("link", name="All jobs").click()
    page.wait_for_url(f"{alice.url}/")


def test_a_page_says_so_when_it_is_no_longer_updated(alice: Tab) -> None:
    page = alice.open("/")
    page.wait_for_function(CONNECTED)
    page.route("**/events/**", lambda route: route.abort())
    page.context.set_offline(True)
    page.evaluate("document.getElementById('live')._htmx.sse.reader.cancel()")
    page.get_by_role("link", name="Reload it").wait_for()
    alice.problems[:] = [each for each in alice.problems if "ERR_" not in each and "Failed to fetch" not in each]


@pytest.fixture
def follow(alice: Tab) -> Iterator[Callable[[str], httpx2.Response]]:
    """Opens a stream without a browser."""
    [cookie] = alice.page.context.cookies()
    headers = {"cookie": f"{cookie['name']}={cookie['value']}"}
    with httpx2.Client(base_url=alice.url, headers=headers, timeout=60, trust_env=False) as client:
        yield lambda path: client.send(client.build_request("GET", path), stream=True)


def test_a_stream_ends_with_its_session(alice: Tab, follow: Callable[[str], httpx2.Response]) -> None:
    answer = follow("/events/jobs")
    assert answer.headers["content-type"].startswith("text/event-stream")
    alice.page.get_by_role("button", name="Sign out").click()
    assert b": connected" in b"".join(answer.iter_raw())


def test_a_page_whose_session_has_ended_says_so_and_asks_ever_more_rarely(alice: Tab) -> None:
    page = alice.open("/")
    page.wait_for_function(CONNECTED)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/events/" in request.url else None)
    same_origin = {"sec-fetch-site": "same-origin"}
    page.context.request.post(f"{alice.url}/signout", headers=same_origin, max_redirects=0)
    note = page.locator("#stale")
    note.wait_for()
    page.wait_for_timeout(5000)
    assert len(asked) <= 6
    expect(note).to_be_visible()
    note.get_by_role("link").click()
    page.wait_for_url(f"{alice.url}/signin**")
    assert alice.problems, "htmx logs each refusal"
    alice.problems[:] = [problem for problem in alice.problems if "status 401" not in problem]


def test_a_tenant_has_a_limited_number_of_streams(follow: Callable[[str], httpx2.Response]) -> None:
    answers = [follow("/events/jobs") for _ in range(PER_TENANT + 1)]
    statuses = [answer.status_code for answer in answers]
    for answer in answers:
        answer.close()
    assert statuses[0] == 200
    assert statuses[-1] == 429
    wait_until(lambda: is_answered(follow("/events/jobs")))  # the closed ones no longer count


def is_answered(stream: httpx2.Response) -> bool:
    """Close the stream and return whether it was opened."""
    stream.close()
    return stream.is_success


def test_a_server_with_open_pages_ends_as_fast_as_without(start_server: StartServer, open_tab: OpenTab) -> None:
    server = start_server("--no-worker")
    tab = open_tab(server.url)
    tab.sign_in(server.new_key("alice").api_secret)
    tab.page.wait_for_function(CONNECTED)
    assert server.stop() == 0
    assert "timeout graceful shutdown exceeded" not in server.log_text(), "it waited for a page"
    tab.problems.clear()
