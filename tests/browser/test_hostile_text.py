"""Users' text that looks like markup, scripts or templates stays text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.tab import Tab
from tests.contract.conftest import client_of
from tests.contract.server import Key, Server
from tests.recordings import write_wav

SCRIPT = "<script>document.title='hacked'</script>"
IMAGE = "<img src=x onerror=document.title='hacked'>"
QUOTES = "\"'><b onmouseover=alert(1)>`${1}`{{7*7}}{% raw %}"
RIGHT_TO_LEFT = "\u202egnp.txt \u2066\u05d0\u05d1\u05d2"
HTMX = "<div hx-get='/keys' hx-trigger='load' hx-on::load='document.title=`hacked`'>"
NAMES = [
    SCRIPT.replace("/", "\u2215"),  # a division slash, because a name has no slash
    IMAGE,
    QUOTES,
    RIGHT_TO_LEFT,
    HTMX.replace("/", "\u2215"),
    "line\nbreak",
    "%2e%2e%2f",
    "x" * 200,
]
TENANT = "<i>mallory \"'& \u202e"


@pytest.fixture(scope="module")
def hostile_key(server: Server) -> Key:
    return server.new_key(TENANT)


@pytest.fixture(scope="module")
def job_ids(server: Server, hostile_key: Key, recordings: Path) -> list[str]:
    """Of jobs with such names, references and errors."""
    folder = recordings.parent / TENANT / "calls"
    for name in NAMES:
        write_wav(folder / f"{name}.wav")
    (folder / f"{IMAGE}-broken.wav").write_bytes(b"RIFF" + b"\0" * 100)
    missing = f"{folder.as_uri()}/{'<u>long</u>'.replace('/', '%2F') * 450}.wav"
    output = {"uri": f"{folder.parent.as_uri()}/out/"}
    with client_of(server, hostile_key) as client:
        for name in (SCRIPT, QUOTES):
            client.call_at("POST", "/v2/aiservices/assets/vocabularies", 201, json={"name": name, "phrases": [IMAGE]})
        config = {"segmentation_mode": "none"}
        first = client.done(
            {
                "input": {"uri": f"{folder.as_uri()}/"},
                "output": output,
                "config": config,
                "reference_id": SCRIPT + QUOTES,
            }
        )
        second = client.done({"input": {"manifest": [missing]}, "output": output, "reference_id": "\u202e" + "y" * 255})
    assert first["summary"]["succeeded"] >= len(NAMES) - 1, first
    return [first["job_id"], second["job_id"]]


def test_nothing_of_it_is_markup_on_any_page(open_tab: OpenTab, hostile_key: Key, job_ids: list[str]) -> None:
    tab = open_tab(viewport={"width": 390, "height": 800})
    tab.sign_in(hostile_key.api_secret)
    paths = ["/", "/submit", "/workers", "/keys", "/usage", *(f"/jobs/{job_id}" for job_id in job_ids)]
    paths += [
        f"/jobs/{job_ids[0]}?name=%3Cscript%3Ealert(1)%3C/script%3E",
        "/?state=%3Cscript%3E",
        "/signin?next=//evil",
    ]
    paths += [f"/jobs/{job_ids[0]}/files/f_00000{number}" for number in (1, 2, 3)]
    for path in paths:
        page = tab.open(path)
        page.wait_for_load_state("load")
        assert page.title() != "hacked"
        found = page.locator(
            "main script, img[src='x'], [onerror], [onmouseover], main [hx-get], main u, header i, main i"
        )
        assert found.count() == 0, (path, found.first.evaluate("each => each.outerHTML"))
        assert "49" not in page.locator("h1").inner_text(), "a template ran"
        too_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not too_wide, f"{path} scrolls sideways"


def test_it_is_shown_as_it_is(open_tab: OpenTab, hostile_key: Key, job_ids: list[str]) -> None:
    tab = open_tab()
    tab.sign_in(hostile_key.api_secret)
    page = tab.open(f"/jobs/{job_ids[0]}")
    expect(page.locator("h1")).to_have_text(SCRIPT + QUOTES)
    shown = page.locator(".files .name > :first-child").all_text_contents()
    assert {f"{IMAGE}.wav", f"{QUOTES}.wav", f"{RIGHT_TO_LEFT}.wav"} <= set(shown)
    page.get_by_label("Name").fill(IMAGE)
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**name=**")
    expect(page.locator(".files tbody tr")).to_have_count(2)
    tab.check_accessible()


def test_an_event_with_it_is_not_markup_either(
    open_tab: OpenTab, hostile_key: Key, job_ids: list[str], server: Server, recordings: Path
) -> None:
    tab = open_tab()
    tab.sign_in(hostile_key.api_secret)
    folder = recordings.parent / TENANT
    write_wav(folder / "live" / "a.wav")
    with client_of(server, hostile_key) as client:
        job_id = client.submit(
            {
                "input": {"uri": f"{folder.as_uri()}/live/"},
                "output": {"uri": f"{folder.as_uri()}/live-out/"},
                "reference_id": HTMX + IMAGE,
            }
        )
    expect(tab.page.locator(f"#row-{job_id} .title")).to_have_text(HTMX + IMAGE)
    expect(tab.page).to_have_title(re.compile("^Jobs"))


def test_sign_in_leads_to_no_other_server(open_tab: OpenTab, hostile_key: Key, server: Server) -> None:
    for target in (
        "//evil.example/",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
    ):
        tab: Tab = open_tab()
        page = tab.page
        page.goto(f"{server.url}/signin")
        page.locator("input[name=next]").evaluate("(field, value) => field.value = value", target)
        page.get_by_label("Secret of an API key").fill(hostile_key.api_secret)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{server.url}/")
