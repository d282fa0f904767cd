"""Every page can be used with a screen reader, in light and dark colors and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.jobs import mixed_job
from tests.contract.client import Client
from tests.contract.server import Key

PHONE = {"width": 360, "height": 740}
PAGES = (
    "/",
    "/?state=QUEUED",
    "/submit",
    "/usage",
    "/workers",
    "/keys",
    "/jobs/{job}",
    "/jobs/{job}?name=nothing",
    "/jobs/job_0",
)
#: Swagger UI puts a link into each of its buttons, leaves out a level of headings, and has text outside of `main`.
RULES_OF_SWAGGER_UI = ("nested-interactive", "heading-order", "region")


@pytest.fixture(scope="module")
def job_id(client: Client, recordings: Path) -> str:
    return mixed_job(client, recordings, "accessible", reference_id="calls of October")


@pytest.mark.parametrize(
    "settings",
    [{}, {"color_scheme": "dark"}, {"viewport": PHONE}, {"viewport": PHONE, "color_scheme": "dark"}],
    ids=["light", "dark", "phone", "dark-phone"],
)
def test_axe_finds_no_violation(settings: dict[str, object], open_tab: OpenTab, alice_key: Key, job_id: str) -> None:
    tab = open_tab(**settings)
    tab.open("/signin")
    tab.check_accessible()
    tab.sign_in(alice_key.api_secret)
    for path in PAGES:
        page = tab.open(path.format(job=job_id))
        tab.check_accessible()
        too_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not too_wide, f"{path} scrolls sideways"


def test_swagger_ui_violates_only_rules_of_structure(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.open("/docs").get_by_role("button", name="Submit a job").first.wait_for()
    tab.check_accessible(except_rules=RULES_OF_SWAGGER_UI)


def test_everything_that_asks_first_is_accessible_when_open(open_tab: OpenTab, alice_key: Key, job_id: str) -> None:
    tab = open_tab()
    tab.sign_in(alice_key.api_secret)
    for path in ("/submit", "/keys", f"/jobs/{job_id}"):
        page = tab.open(path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        tab.check_accessible()


def test_each_page_has_its_own_title_and_one_main_heading(open_tab: OpenTab, alice_key: Key, job_id: str) -> None:
    tab = open_tab()
    tab.sign_in(alice_key.api_secret)
    titles = set()
    for path in ("/", "/submit", "/usage", "/workers", "/keys", f"/jobs/{job_id}"):
        page = tab.open(path)
        titles.add(page.title())
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.locator("html")).to_have_attribute("lang", "en")
    assert len(titles) == 6


def test_the_first_tab_stop_skips_to_the_content(open_tab: OpenTab, alice_key: Key) -> None:
    tab = open_tab()
    tab.sign_in(alice_key.api_secret)
    page = tab.open("/workers")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
