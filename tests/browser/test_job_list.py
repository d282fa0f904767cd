"""The list of jobs, and the page of usage."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.contract.bodies import single
from tests.contract.conftest import StartServer, client_of


def test_the_list_has_pages_and_a_filter(start_server: StartServer, open_tab: OpenTab) -> None:
    server = start_server("--no-worker")
    key = server.new_key("alice")
    with client_of(server, key) as client:
        job_ids = [client.submit(single()) for _ in range(27)]
        client.cancel(job_ids[0])
    tab = open_tab(server.url)
    tab.sign_in(key.api_secret)
    page = tab.page
    rows = page.locator("li.job")
    expect(rows).to_have_count(25)
    page.get_by_role("link", name="Older jobs").click()
    page.wait_for_url("**before=**")
    expect(rows).to_have_count(2)
    assert [row.get_attribute("id") for row in rows.all()] == [f"row-{job_ids[1]}", f"row-{job_ids[0]}"]
    page.get_by_role("link", name="Newest jobs").click()
    page.wait_for_url(f"{tab.url}/")
    chips = page.get_by_role("navigation", name="State of the jobs")
    chips.get_by_role("link", name="Canceled").click()
    page.wait_for_url("**state=CANCELED")
    expect(rows).to_have_count(1)
    expect(rows).to_have_attribute("id", f"row-{job_ids[0]}")
    expect(chips.locator("[aria-current]")).to_have_text("Canceled")
    chips.get_by_role("link", name="Succeeded").click()
    page.get_by_text("No job is in the state").wait_for()
    tab.open("/")
    page.get_by_role("link", name="Submit a job").click()
    page.wait_for_url(f"{tab.url}/submit")


def test_a_new_tenant_is_led_to_the_form(start_server: StartServer, open_tab: OpenTab) -> None:
    server = start_server("--no-worker")
    tab = open_tab(server.url)
    tab.sign_in(server.new_key("new").api_secret)
    tab.page.get_by_role("link", name="Submit the first one").click()
    tab.page.wait_for_url(f"{tab.url}/submit")
    page = tab.open("/usage")
    for days in (90, 365, 30):
        page.get_by_role("link", name=f"{days} days").click()
        page.wait_for_url(f"**days={days}")
        expect(page.get_by_role("img", name=re.compile(f"of the last {days} days"))).to_have_count(2)
    page.get_by_role("searchbox", name="Search all transcripts").fill("nothing")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=nothing")
    tab.open("/workers").get_by_text("No worker can transcribe now").wait_for()
