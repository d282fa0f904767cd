"""The page that searches in all transcripts of a tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from batchscribe.database.job_rows import get_job_of
from batchscribe.database.segment_rows import delete_segments, store_segments
from batchscribe.jobs.model import seq_of
from batchscribe.jobs.spoken_segment import SpokenSegment
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.window import Word
from tests.browser.conftest import OpenTab
from tests.browser.readings import ReadJob, read_job, time_of, transcript_of, write_recordings, write_silence
from tests.browser.tab import Tab
from tests.contract.server import Key, Server

MARKUP = "</mark><img src=x onerror=\"document.title='hacked'\"> zebra"
DURATION_SEC = 600
TEXTS = {
    "harbor": ["The invoice of Renée is late.", "Nobody paid the second invoice.", MARKUP, "שלום zebra"],
    "market": [f"Lot number {number} of the auction." for number in range(60)],
}


@pytest.fixture(scope="module")
def found_job(reader_server: Server, reader_key: Key) -> ReadJob:
    """A job of which the stored text, the transcripts and the recordings are known."""
    folder = write_recordings(reader_server.folder.parent / "found", *TEXTS)
    job = read_job(reader_server, reader_key, folder, segmentation_mode="none")
    for stem, texts in TEXTS.items():
        segments = [segment(text, at * 10.0) for at, text in enumerate(texts)]
        job.write(stem, transcript_of(segments, duration_sec=DURATION_SEC))
        write_silence(job.recording(stem), duration_sec=DURATION_SEC)
        store_text(reader_server, reader_key.tenant, job, stem, segments)
    return job


def segment(text: str, start_sec: float) -> TranscriptSegment:
    word = Word(text.split()[0], start_sec, start_sec + 1)
    return TranscriptSegment(0, start_sec, start_sec + 5, text, (word,), speaker=1)


def store_text(server: Server, tenant: str, job: ReadJob, stem: str, segments: list[TranscriptSegment]) -> None:
    """Store the segments for search, in place of what the engine made up."""
    records = open_records(load_settings(data_dir=server.data_dir, database_url=server.database_url))
    spoken = [SpokenSegment(each.start_sec, each.end_sec, 0, "Speaker 1", each.text) for each in segments]
    with records.transaction() as connection:
        number = get_job_of(connection, tenant, job.job_id).number
        seq = seq_of(job.file_ids[stem]) or 0
        delete_segments(connection, number, seq)
        store_segments(connection, number, seq, spoken)
    records.database.dispose()


@pytest.fixture
def page(reader: Tab, found_job: ReadJob) -> Page:
    return reader.open("/search")


def search(page: Page, words: str) -> None:
    field = page.get_by_role("searchbox", name="Words")
    field.fill(words)
    field.press("Enter")
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("q") == [words])


def test_matches_are_marked_and_lead_to_their_second(page: Page) -> None:
    search(page, "invoice RENEE")
    hits = page.locator(".hits li")
    expect(hits).to_have_count(1)
    expect(page.locator(".hits mark")).to_have_text(["invoice", "Renée"])
    expect(page.get_by_role("heading", level=2)).to_have_text("harbor.wav")
    search(page, "invoice")
    expect(page.locator(".hits .time")).to_have_text(["0:00", "0:10"])
    page.get_by_role("link", name="0:10").click()
    expect(page.locator("article.linked .text")).to_have_text("Nobody paid the second invoice.")
    expect(page.locator("article.linked mark.current")).to_have_text("invoice")
    assert time_of(page) == 10


def test_hostile_text_is_only_text(page: Page, reader: Tab) -> None:
    search(page, "zebra")
    expect(page.locator(".hits p").first).to_have_text(f"Speaker 1 {MARKUP}")
    expect(page.locator("main img")).to_have_count(0)
    search(page, '"><img src=x onerror=alert(1)>"')
    expect(page.locator("p.empty, p.mistake")).to_be_visible()
    expect(page.locator("main img")).to_have_count(0)


def test_speakers_have_the_names_that_people_gave_them(page: Page, found_job: ReadJob, reader_server: Server) -> None:
    speakers = f"{reader_server.url}{found_job.path('market')}/speakers"
    for name in ("Mrs. Bell", ""):
        answer = page.request.post(
            speakers, form={"label": "Speaker 1", "name": name}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert answer.ok
        search(page, "second")
        expect(page.locator(".hits b")).to_have_text("Speaker 1")  # of another file
        search(page, '"number 7"')
        expect(page.locator(".hits b")).to_have_text(name or "Speaker 1")


def test_more_matches_are_on_further_pages(page: Page) -> None:
    search(page, "auct*")
    expect(page.locator(".hits p")).to_have_count(50)
    first = page.locator(".hits p").all_inner_texts()
    page.get_by_role("link", name="More matches").click()
    expect(page.locator(".hits li")).to_have_count(10)
    assert len({*first, *page.locator(".hits p").all_inner_texts()}) == 60
    expect(page.get_by_role("link", name="First matches")).to_be_visible()
    expect(page.get_by_role("link", name="More matches")).to_have_count(0)
    page.get_by_role("link", name="First matches").click()
    expect(page.locator(".hits li")).to_have_count(50)


def test_nothing_found_and_queries_with_a_mistake(page: Page, reader: Tab) -> None:
    expect(page.locator("p.empty")).to_contain_text("The latest transcripts come first.")
    search(page, "giraffe")
    expect(page.locator("p.empty")).to_have_text("No transcript contains these words.")
    reader.check_accessible()
    search(page, '"giraffe')
    expect(page.get_by_role("alert")).to_contain_text("A quotation mark is not closed")
    expect(page.get_by_role("searchbox", name="Words")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("searchbox", name="Words")).to_have_value('"giraffe')
    reader.check_accessible()


def test_the_field_at_the_top_of_every_page_searches(reader: Tab, found_job: ReadJob) -> None:
    page = reader.open("/usage")
    page.get_by_role("searchbox", name="Search all transcripts").fill("invoice")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=invoice")
    expect(page.locator(".hits li")).to_have_count(2)


def test_another_tenant_finds_nothing(open_tab_at: OpenTab, reader_server: Server, found_job: ReadJob) -> None:
    tab = open_tab_at(reader_server.url)
    tab.sign_in(reader_server.new_key("bob").api_secret)
    page = tab.open("/search")
    search(page, "invoice")
    expect(page.locator("p.empty")).to_have_text("No transcript contains these words.")


def test_a_server_that_stores_no_text_says_so(open_tab_at: OpenTab, tmp_path: Path) -> None:
    with Server(tmp_path / "server", {"BATCHSCRIBE_SEARCH": "off"}, ("--no-worker",)) as server:
        tab = open_tab_at(server.url)
        tab.sign_in(server.new_key("alice").api_secret)
        page = tab.open("/search")
        expect(page.locator("p.notice")).to_contain_text("This server stores no transcript text")
        expect(page.get_by_role("searchbox", name="Search all transcripts")).to_have_count(0)
        page = tab.open("/search?q=invoice")
        expect(page.locator("main")).to_contain_text("This server stores no transcript text")


@pytest.mark.parametrize(
    "settings",
    [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}],
    ids=["light", "dark", "phone"],
)
def test_it_is_accessible(
    open_tab_at: OpenTab, reader_server: Server, reader_key: Key, found_job: ReadJob, settings: dict[str, Any]
) -> None:
    tab = open_tab_at(reader_server.url, **settings)
    tab.sign_in(reader_key.api_secret)
    page = tab.open("/search?q=invoice")
    expect(page.locator(".hits li")).to_have_count(2)
    tab.check_accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
