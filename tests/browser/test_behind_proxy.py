"""The pages behind a reverse proxy that publishes the server under a path prefix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.jobs import folder_of, job_for
from tests.browser.readings import time_of
from tests.contract.client import BASE
from tests.contract.conftest import StartServer, client_of
from tests.contract.server import Key, Server
from tests.integration.command import wait_until
from tests.servers.prefix_proxy import prefix_proxy

PREFIX = "/tools/transcribe"


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Server:
    return start_server(BATCHSCRIBE_ROOT_PATH=PREFIX)


@pytest.fixture(scope="module")
def key(server: Server) -> Key:
    return server.new_key("alice")


@pytest.fixture(scope="module", params=[True, False], ids=["removes", "keeps"])
def proxy(request: pytest.FixtureRequest, server: Server) -> Iterator[str]:
    with prefix_proxy(server.url, PREFIX, removes=request.param) as url:
        yield url


def test_every_page_link_and_form_stays_below_the_prefix(
    proxy: str, open_tab: OpenTab, key: Key, server: Server, recordings: Path, request: pytest.FixtureRequest
) -> None:
    folder = folder_of(recordings, f"proxy-{request.node.callspec.id}", 1)
    tab = open_tab(proxy)
    tab.sign_in(key.api_secret)
    with client_of(server, key) as client:
        job_id = client.submit(job_for(folder))
    tab.page.locator(f"#row-{job_id}").get_by_text("Succeeded").wait_for()  # by an event
    tab.page.locator(f"#row-{job_id} a.title").click()
    tab.page.get_by_role("link", name="call-0.wav").click()
    tab.page.wait_for_url(f"{proxy}/jobs/{job_id}/files/f_000001")
    text = tab.page.locator("article .text").first.inner_text()
    tab.page.keyboard.press("Space")
    wait_until(lambda: time_of(tab.page) > 0)
    tab.page.get_by_role("searchbox", name="Search all transcripts").fill(f'"{text}"')
    tab.page.keyboard.press("Enter")
    tab.page.locator(".hits .time").first.click()
    tab.page.wait_for_url(f"{proxy}/jobs/{job_id}/files/f_000001?q=*")
    tab.page.locator("article.linked").wait_for()
    for name, path in {"Submit": "submit", "Usage": "usage", "Workers": "workers", "Keys": "keys", "Jobs": ""}.items():
        tab.page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        tab.page.wait_for_url(f"{proxy}/{path}")
        expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
    tab.page.get_by_role("link", name="HTTP interface").click()
    tab.page.wait_for_url(f"{proxy}/docs")
    tab.page.get_by_role("button", name="Submit a job").first.wait_for()
    tab.open("/")
    tab.page.get_by_role("button", name="Sign out").click()
    tab.page.wait_for_url(f"{proxy}/signin")


def test_the_session_cookie_is_for_the_prefix_only(proxy: str, open_tab: OpenTab, key: Key) -> None:
    tab = open_tab(proxy)
    tab.sign_in(key.api_secret)
    [cookie] = tab.page.context.cookies()
    assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == (PREFIX, True, "Lax")


def test_the_http_interface_is_there_too(proxy: str, key: Key) -> None:
    answer = httpx2.get(f"{proxy}{BASE}/jobs", headers={"x-api-key": key.api_secret}, trust_env=False)
    assert answer.status_code == 200
    document = httpx2.get(f"{proxy}/openapi.json", trust_env=False).json()
    assert document["servers"] == [{"url": PREFIX}]
