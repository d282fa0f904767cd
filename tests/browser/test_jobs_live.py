"""Pages that follow their jobs while they run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from batchscribe.web.live import PER_TENANT
from tests.browser.conftest import OpenTab
from tests.browser.jobs import folder_of, job_for
from tests.browser.tab import Tab
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Key, Server

CONNECTED = "() => document.getElementById('live')._htmx?.sse?.reader"


def test_the_list_shows_a_new_job_and_its_end_without_a_reload(
    alice: Tab, server: Server, alice_key: Key, recordings: Path
) -> None:
    page = alice.open("/")
    page.evaluate("window.stayed = true")
    with client_of(server, alice_key) as client:
        job_id = client.submit(job_for(folder_of(recordings, "list-live", 3)))
    row = page.locator(f"#row-{job_id}")
    row.get_by_text("Succeeded").wait_for()
    assert "3 of 3" in row.inner_text()
    assert page.evaluate("window.stayed")


def test_the_page_of_a_job_shows_its_end_without_a_reload(
    alice: Tab, server: Server, alice_key: Key, recordings: Path
) -> None:
    with client_of(server, alice_key) as client:
        job_id = client.submit(job_for(folder_of(recordings, "job-live", 40)))
        page = alice.open(f"/jobs/{job_id}")
        page.evaluate("window.stayed = true")
        page.locator("#live .badge", has_text="Succeeded").wait_for()
        assert "40 of 40 files done" in page.locator("#live").inner_text()
        assert page.evaluate("window.stayed")
        assert client.job(job_id)["state"] == "SUCCEEDED"


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


def test_a_tenant_has_a_limited_number_of_streams(follow: Callable[[str], httpx2.Response]) -> None:
    answers = [follow("/events/jobs") for _ in range(PER_TENANT + 1)]
    statuses = [answer.status_code for answer in answers]
    for answer in answers:
        answer.close()
    assert statuses[0] == 200
    assert statuses[-1] == 429


def test_a_server_with_open_pages_ends_as_fast_as_without(start_server: StartServer, open_tab: OpenTab) -> None:
    server = start_server("--no-worker")
    tab = open_tab(server.url)
    tab.sign_in(server.new_key("alice").api_secret)
    tab.page.wait_for_function(CONNECTED)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 3
    tab.problems.clear()
