"""The form for a new job."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.jobs import folder_of
from tests.browser.tab import Tab
from tests.contract.client import Client
from tests.contract.conftest import StartServer
from tests.contract.server import Key


def fill(page: Page, folder: Path) -> None:
    page.get_by_label("Files or a folder").fill(f"{folder.as_uri()}/")
    page.get_by_label("Folder for the transcripts").fill(f"{folder.parent.as_uri()}/{folder.name}-out/")
    page.get_by_label("Silence").select_option("none")


def test_a_job_can_be_submitted_with_the_keyboard_alone(open_tab: OpenTab, alice_key: Key, recordings: Path) -> None:
    folder = folder_of(recordings, "keyboard", 1)
    tab = open_tab()
    page = tab.open("/signin")
    expect(page.get_by_label("Secret of an API key")).to_be_focused()
    page.keyboard.type(alice_key.api_secret)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{tab.url}/")
    focus_next(page, "Submit a job")
    page.keyboard.press("Enter")
    page.wait_for_url("**/submit")
    focus_next(page, "input.uri")
    page.keyboard.type(f"{folder.as_uri()}/")
    focus_next(page, "output.uri")
    page.keyboard.type(f"{folder.parent.as_uri()}/keyboard-out/")
    focus_next(page, "Submit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/job_*")
    page.locator(".status .badge", has_text="Succeeded").wait_for()


def focus_next(page: Page, wanted: str) -> None:
    """Press Tab until the focus is on the element with this ID or text."""
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate("[document.activeElement.id, document.activeElement.textContent.trim()]")
        if wanted in name:
            return
    raise AssertionError(f"Tab does not reach {wanted}")


def test_a_dry_run_shows_what_would_happen_and_stores_nothing(alice: Tab, client: Client, recordings: Path) -> None:
    folder = folder_of(recordings, "dry-run", 3)
    before = [job["job_id"] for job in client.jobs()]
    page = alice.open("/submit")
    fill(page, folder)
    page.get_by_label("Except files that match").fill("call-2.wav")
    page.get_by_role("button", name="Dry run").click()
    page.get_by_role("heading", name="2 recordings would be transcribed").wait_for()
    page.get_by_text("The first 2 transcripts").click()
    expect(page.get_by_role("cell", name=f"{folder}/call-0.wav")).to_be_visible()
    expect(page.locator("#answer")).to_contain_text("Excluded by the globs: 1.")
    expect(page.get_by_label("Files or a folder")).to_have_value(f"{folder.as_uri()}/")
    assert [job["job_id"] for job in client.jobs()] == before
    alice.check_accessible()


def test_each_mistake_is_beside_its_field(alice: Tab) -> None:
    page = alice.open("/submit")
    page.get_by_label("Files or a folder").fill("ftp://host/a.wav\ns3://bucket/folder/")
    page.get_by_label("Number of speakers").fill("0")
    page.get_by_text("Reference and webhook").click()
    page.get_by_label("Webhook URL").fill("nonsense")
    page.get_by_text("Reference and webhook").click()  # closed again
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_role("alert").wait_for()
    for field, words in {
        "input.uri": "ftp:// is not supported",
        "config.num_speakers": "must be at least 1",
        "notifications.webhook_url": "A webhook URL must start with",
    }.items():
        control = page.locator(f"[id='{field}']")
        expect(control).to_have_attribute("aria-invalid", "true")
        expect(control).to_be_visible()
        expect(page.locator(f"[id='{field}-mistake']")).to_contain_text(words)
    alice.check_accessible()
    page.get_by_role("link", name="config.num_speakers").click()
    page.wait_for_url("**/submit#config.num_speakers")


def test_a_form_that_is_not_answered_says_why(start_server: StartServer, open_tab: OpenTab) -> None:
    server = start_server("--no-worker", BATCHSCRIBE_RATE_LIMIT="8/hour")
    tab = open_tab(server.url)
    tab.sign_in(server.new_key("alice").api_secret)
    page = tab.open("/submit")
    page.get_by_label("Files or a folder").fill("typed")
    alert = page.locator("#answer").get_by_role("alert")
    page.context.set_offline(True)
    page.get_by_role("button", name="Dry run").click()
    alert.get_by_text("The server did not answer.").wait_for()
    page.context.set_offline(False)
    statuses = []
    for _ in range(8):
        with page.expect_response("**/submit") as answered:
            page.get_by_role("button", name="Submit", exact=True).click()
        statuses.append(answered.value.status)
    assert (statuses[0], statuses[-1]) == (200, 429)
    expect(alert).to_contain_text("More than 8 requests")
    tab.check_accessible()
    page.route("**/submit", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    page.get_by_role("button", name="Submit", exact=True).click()
    alert.get_by_text("HTTP 502").wait_for()
    expect(page.get_by_label("Files or a folder")).to_have_value("typed")
    expect(page.locator("[aria-invalid]")).to_have_count(0)  # the mistakes of the answer before are gone
    tab.problems[:] = [
        each for each in tab.problems if "ERR_INTERNET_DISCONNECTED" not in each and "Failed to fetch" not in each
    ]


def test_without_scripts_it_works_too(open_tab: OpenTab, alice_key: Key, recordings: Path) -> None:
    folder = folder_of(recordings, "no-scripts", 2)
    tab = open_tab(java_script_enabled=False)
    tab.sign_in(alice_key.api_secret)
    page = tab.open("/submit")
    page.get_by_label("Files or a folder").fill("nonsense")
    page.get_by_label("Detect the language").select_option("once")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("[id='input.uri-mistake']")).to_be_visible()
    expect(page.get_by_label("Files or a folder")).to_have_value("nonsense")
    expect(page.get_by_label("Detect the language")).to_have_value("once")
    page.get_by_label("Detect the language").select_option("")
    fill(page, folder)
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_role("heading", name="2 recordings would be transcribed")).to_be_visible()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/jobs/job_*")
    page.reload()
    expect(page.locator(".status .badge")).to_have_text(re.compile("^(Queued|Processing|Succeeded)$"))


def test_every_option_of_the_form_reaches_the_job(alice: Tab, client: Client, recordings: Path) -> None:
    folder = folder_of(recordings, "options", 2)
    page = alice.open("/submit")
    page.get_by_label("Files or a folder").fill("\n".join(path.as_uri() for path in sorted(folder.iterdir())))
    page.get_by_label("Folder for the transcripts").fill(f"{folder.parent.as_uri()}/options-out/")
    page.get_by_label("Layout").select_option("PREFIX")
    for name in ("json", "srt", "Replace existing transcripts", "Word times", "Word confidence"):
        page.get_by_label(name, exact=True).check()
    page.get_by_label("One speaker per channel").check()
    page.get_by_label("Silence").select_option("none")
    page.get_by_text("Reference and webhook").click()
    page.get_by_label("Your reference").fill("options of the form")
    page.get_by_label("Language", exact=True).fill("en-GB")
    page.get_by_text("Storage credentials").click()
    page.get_by_label("Access key ID").first.fill("AKIAFROMTHEFORM")
    page.get_by_label("Secret access key").first.fill("secret-from-the-form")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url(re.compile("/jobs/job_"))
    job = client.job(page.url.rpartition("/")[2])
    wanted = {
        "language": "en-GB", "word_time_offsets": True, "word_confidence": True, "channel_separation": True,
        "segmentation_mode": "none", "output_formats": ["json", "srt"],
    }  # fmt: skip
    assert {name: job["config"].get(name) for name in wanted} == wanted
    assert (job["input"]["mode"], job["output"]["overwrite"]) == ("MANIFEST", True)
    assert job["reference_id"] == "options of the form"
    assert "secret-from-the-form" not in page.content()


def test_a_double_click_creates_one_job(alice: Tab, client: Client, recordings: Path) -> None:
    before = len(client.jobs())
    page = alice.open("/submit")
    fill(page, folder_of(recordings, "twice", 1))
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Submit", exact=True).dblclick()
    page.wait_for_url("**/jobs/job_*")
    first = sent.value  # the browser may have dropped the second request, so it is sent again
    again = page.context.request.post(first.url, headers=first.all_headers(), data=first.post_data_buffer)
    assert alice.url + again.headers["hx-redirect"] == page.url
    assert len(client.jobs()) == before + 1


def test_a_stored_vocabulary_can_be_chosen(alice: Tab, client: Client, recordings: Path) -> None:
    """The scripted engine takes none, so the mistake shows that the choice reached the check."""
    client.call_at("POST", "/v2/aiservices/assets/vocabularies", 201, json={"name": "Names", "phrases": ["Ljubljana"]})
    page = alice.open("/submit")
    fill(page, folder_of(recordings, "vocabulary", 1))
    page.get_by_label("Vocabulary").select_option(label="Names")
    page.get_by_role("button", name="Dry run").click()
    page.locator("[id='config.vocabulary_id-mistake']").wait_for()
