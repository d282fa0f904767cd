"""The page of the keys."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.contract.server import Server


def test_a_key_is_created_shown_once_used_and_revoked(open_tab: OpenTab, server: Server) -> None:
    first = server.new_key("dora")
    tab = open_tab()
    tab.sign_in(first.api_secret)
    page = tab.open("/keys")
    page.get_by_role("button", name="Create a key").click()
    secret = page.locator("#secret").inner_text()
    assert secret.startswith("bs_")
    assert secret not in tab.open("/keys").content(), "it is shown only once"
    other = open_tab()
    other.sign_in(secret)
    key = f"bk_{secret.split('_')[1]}"
    card = page.get_by_role("listitem").filter(has_text=key)
    card.get_by_text("Revoke…").click()
    card.get_by_role("button", name="Revoke this key").click()
    page.get_by_role("heading", name="Revoked").wait_for()
    assert "/signin" in other.open("/").url, "the session ends with its key"
    assert "/signin" not in tab.open("/").url


def test_revoking_the_key_of_this_session_signs_out(open_tab: OpenTab, server: Server) -> None:
    key = server.new_key("emil")
    tab = open_tab()
    tab.sign_in(key.api_secret)
    page = tab.open("/keys")
    page.get_by_text("Revoke…").click()
    question = page.get_by_role("listitem").filter(has_text=key.api_key)
    expect(question).to_contain_text("you are signed out")
    expect(question).to_contain_text("your last key")
    page.get_by_role("button", name="Revoke this key").click()
    page.wait_for_url("**/signin")


def test_the_secret_can_be_copied(open_tab: OpenTab, server: Server) -> None:
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    tab.sign_in(server.new_key("frida").api_secret)
    page = tab.open("/keys")
    page.get_by_role("button", name="Create a key").click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").inner_text()
