"""Signing in and out, in a browser."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.tab import Tab
from tests.contract.server import Key, Server


def test_a_page_asks_to_sign_in_and_leads_back(open_tab: OpenTab, alice_key: Key) -> None:
    tab = open_tab()
    page = tab.open("/?state=QUEUED")
    assert "/signin?next=" in page.url
    page.get_by_label("Secret of an API key").fill(alice_key.api_secret)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{tab.url}/?state=QUEUED")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")


def test_a_wrong_secret_is_refused_beside_its_field(open_tab: OpenTab) -> None:
    tab = open_tab()
    page = tab.open("/signin")
    field = page.get_by_label("Secret of an API key")
    field.fill("bs_00000000000000000000_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Secret of an API key")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#secret-mistake")).to_contain_text("unknown or revoked")
    tab.check_accessible()


def test_after_signing_out_nothing_is_shown(alice: Tab) -> None:
    alice.page.get_by_role("button", name="Sign out").click()
    alice.page.wait_for_url("**/signin")
    assert "/signin" in alice.open("/").url


def test_a_revoked_key_ends_its_sessions(open_tab: OpenTab, server: Server) -> None:
    key = server.new_key("carol")
    tab = open_tab()
    tab.sign_in(key.api_secret)
    assert server.run("keys", "revoke", key.api_key).status == 0
    assert "/signin" in tab.open("/").url
