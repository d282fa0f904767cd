"""The reader's keys, its search, and what it says about transcripts and recordings that are hostile, empty or gone."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from batchscribe.database.tables import waveform
from batchscribe.jobs.model import seq_of
from batchscribe.queue.records import open_records
from batchscribe.settings import load_settings
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.window import Flag, Word
from tests.browser.conftest import OpenTab
from tests.browser.readings import ReadJob, is_playing, time_of, transcript_of, wait_past, write_silence
from tests.browser.tab import Tab
from tests.contract.server import Key, Server
from tests.integration.command import wait_until

MARKUP = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"
LONG_WORD = "ab" * 5_000
HOSTILE = [
    TranscriptSegment(0, 0.0, 1.0, MARKUP, (Word(MARKUP, 0.0, 1.0),), language='en"><b>', speaker=1),
    TranscriptSegment(0, 1.0, 2.0, LONG_WORD, (Word(LONG_WORD, 1.0, 2.0, 0.2),), speaker=2),
    TranscriptSegment(0, 2.0, 2.0, "now now", (Word("now", 2.0, 2.0), Word("now", 2.0, 2.0)), speaker=1),
    TranscriptSegment(0, 2.0, 3.0, "שלום עולם, hi", (Word("שלום", 2.0, 2.5), Word("other", 2.5, 3.0)), speaker=1),
    TranscriptSegment(0, 3.0, 4.0, "\u202egnol \u0000 e\u0301clair", (), flags=(Flag.LOW_CONFIDENCE, Flag.REPETITION)),
]
CALM = [
    TranscriptSegment(0, at * 10.0, at * 10.0 + 5, f"Sentence {at} about Café Éclair.", (), speaker=at % 2 + 1)
    for at in range(5)
]


@pytest.fixture
def calm(reader: Tab, read_jobs: ReadJob) -> Page:
    """Five segments without words, ten seconds apart."""
    read_jobs.write("first", transcript_of(CALM, duration_sec=60))
    write_silence(read_jobs.recording("first"), duration_sec=60)
    return read_jobs.open(reader, "first")


def test_arrows_and_the_space_bar_move_and_play(calm: Page) -> None:
    calm.keyboard.press("ArrowRight")
    calm.keyboard.press("ArrowRight")
    calm.keyboard.press("ArrowLeft")
    assert time_of(calm) == 5
    calm.keyboard.press("ArrowDown")
    expect(calm.locator("article").nth(1)).to_be_focused()
    calm.keyboard.press("ArrowDown")
    calm.keyboard.press("ArrowUp")
    expect(calm.locator("article").nth(1)).to_be_focused()
    assert time_of(calm) == 10
    expect(calm.locator("article[aria-current] .text")).to_have_text(CALM[1].text)
    calm.keyboard.press("Space")
    wait_until(lambda: is_playing(calm))
    calm.keyboard.press("Space")
    assert not is_playing(calm)


def test_the_buttons_of_the_player_skip_and_change_the_speed(calm: Page) -> None:
    for _ in range(3):
        calm.get_by_role("button", name="Forward 5 seconds").click()
    calm.get_by_role("button", name="Back 5 seconds").click()
    assert time_of(calm) == 10
    expect(calm.locator("article[aria-current] .text")).to_have_text(CALM[1].text)
    calm.get_by_label("Speed").select_option("1.5")
    assert calm.evaluate("document.querySelector('audio').playbackRate") == 1.5
    calm.get_by_role("button", name="Play").click()
    wait_until(lambda: is_playing(calm))
    assert calm.evaluate("document.querySelector('audio').playbackRate") == 1.5, "it stays while playing"
    calm.get_by_role("button", name="Pause").click()
    assert not is_playing(calm)


def test_only_one_segment_is_in_the_order_of_the_tab_key(calm: Page) -> None:
    calm.keyboard.press("ArrowDown")
    assert calm.locator("article[tabindex='0']").count() == 1
    assert calm.locator("article a[tabindex='0']").count() == 1
    calm.keyboard.press("Tab")
    expect(calm.locator("article").nth(1).locator(".time")).to_be_focused()


def test_the_slash_searches_and_enter_visits_the_matches(calm: Page) -> None:
    field = calm.get_by_role("searchbox", name="Search in this transcript")
    calm.keyboard.press("/")
    expect(field).to_be_focused()
    field.press_sequentially("cafe e")
    output = calm.locator("output")
    expect(output).to_have_text("1 of 5")
    for keys, position in (("Enter", 2), ("Enter", 3), ("Shift+Enter", 2), ("Shift+Enter", 1), ("Shift+Enter", 5)):
        calm.keyboard.press(keys)
        expect(output).to_have_text(f"{position} of 5")
        expect(calm.locator("article", has=calm.locator("mark.current"))).to_have_attribute(
            "aria-posinset", str(position)
        )
    assert calm.locator("mark.current").inner_text() == "Café É"
    calm.keyboard.press("Escape")
    expect(field).to_have_value("")
    expect(field).not_to_be_focused()
    expect(calm.locator("mark")).to_have_count(0)


def test_keys_do_nothing_in_fields_and_after_they_are_turned_off(calm: Page) -> None:
    calm.keyboard.press("/")
    calm.keyboard.type("a / ? b")
    calm.keyboard.press("ArrowLeft")
    calm.keyboard.press("ArrowDown")
    expect(calm.get_by_role("searchbox", name="Search in this transcript")).to_have_value("a / ? b")
    assert time_of(calm) == 0
    assert not is_playing(calm)
    calm.keyboard.press("Escape")
    calm.keyboard.press("?")
    dialog = calm.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    calm.keyboard.press("ArrowRight")
    assert time_of(calm) == 0
    dialog.get_by_role("checkbox", name="Use these shortcuts").uncheck()
    dialog.get_by_role("button", name="Close").click()
    calm.keyboard.press("ArrowRight")
    assert time_of(calm) == 0


def test_the_bar_of_the_position_is_a_slider_for_keys_and_clicks(calm: Page) -> None:
    bar = calm.get_by_role("slider", name="Position")
    bar.focus()
    calm.keyboard.press("ArrowRight")
    assert time_of(calm) == 5
    assert bar.get_attribute("aria-valuetext") == "0:05 of 1:00"
    box = bar.bounding_box()
    assert box is not None
    calm.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert abs(time_of(calm) - 30) < 1
    calm.keyboard.press("Space")
    wait_until(lambda: is_playing(calm))


def test_the_controls_are_in_line(calm: Page) -> None:
    calm.keyboard.press("/")
    calm.keyboard.type("sentence")
    expect(calm.locator("output")).to_have_text("1 of 5")
    for width, lines in {1120: 1, 800: 1, 768: 2, 360: 2}.items():
        calm.set_viewport_size({"width": width, "height": 740})
        centers = calm.evaluate(
            "[...document.querySelectorAll('.controls :is(button, select, input, output, .clock)')]"
            ".filter(each => each.checkVisibility()).map(each => each.getBoundingClientRect())"
            ".map(box => (box.top + box.bottom) / 2)"
        )
        assert len(centers) >= 8
        assert len({round(center) for center in centers}) == lines, (width, centers)
    calm.set_viewport_size({"width": 320, "height": 740})  # a window of 1280 pixels at 400 % (WCAG 1.4.10)
    assert calm.evaluate("document.documentElement.scrollWidth") == 320


def test_a_segment_without_words_is_lit_and_played_as_a_whole(calm: Page) -> None:
    calm.evaluate("document.querySelector('audio').playbackRate = 1 / 16")  # so it is lit for more than a minute
    calm.locator("article .text").nth(2).click()
    expect(calm.locator("article.spoken .text")).to_have_text(CALM[2].text)
    wait_past(calm, 20)
    assert time_of(calm) < 25


def test_hostile_text_is_only_text(reader: Tab, read_jobs: ReadJob) -> None:
    read_jobs.write("hostile", transcript_of(HOSTILE, duration_sec=10, warnings=[MARKUP]))
    write_silence(read_jobs.recording("hostile"), duration_sec=10)
    page = read_jobs.open(reader, "hostile", "?q=" + "ab" * 10)
    texts = page.locator("article .text")
    assert texts.nth(0).inner_text() == MARKUP
    assert texts.nth(1).text_content() == LONG_WORD
    assert page.locator("article").nth(1).locator("mark").count() == 500
    assert page.locator(".doubtful").count() == 1
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("article").last).to_have_attribute("aria-posinset", str(len(HOSTILE)))
    assert texts.nth(-2).evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.locator("[data-part=warnings] p", has_text="<img").inner_text() == MARKUP
    assert page.locator("article img, article script, [data-part=warnings] img").count() == 0
    assert page.title().startswith("hostile.wav")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert page.locator("article .flags li").all_inner_texts()[0].startswith("Doubtful: the engine guessed.")
    page.evaluate("document.querySelector('audio').currentTime = 2.0")
    expect(page.locator("[data-segment='2'] .word.spoken")).to_have_attribute("data-word", "1")
    reader.check_accessible()


def test_a_screen_reader_says_who_speaks_when_and_what(reader: Tab, read_jobs: ReadJob) -> None:
    spoken = [
        TranscriptSegment(0, 0.0, 1.0, "Good morning.", (), speaker=2),
        TranscriptSegment(0, 61.0, 62.0, "Hello?", (), flags=(Flag.LOW_CONFIDENCE,)),
    ]
    read_jobs.write("first", transcript_of(spoken, duration_sec=100))
    page = read_jobs.open(reader, "first")
    expect(page.locator("article").nth(0)).to_have_accessible_name("Speaker 2 0:00")
    expect(page.locator("article").nth(0)).to_have_accessible_description("Good morning.")
    expect(page.locator("article").nth(1)).to_have_accessible_name("1:01")
    expect(page.locator("article").nth(1)).to_have_accessible_description(re.compile("^Hello[?] Doubtful: the engine"))
    missing = page.evaluate(
        "[...document.querySelectorAll('article')].flatMap(row => [row.getAttribute('aria-labelledby'),"
        " row.getAttribute('aria-describedby')].join(' ').split(' ')).filter(id => !document.getElementById(id))"
    )
    assert missing == []


def test_hostile_names_of_speakers_are_only_text(reader: Tab, read_jobs: ReadJob) -> None:
    read_jobs.write("hostile", transcript_of(HOSTILE, duration_sec=10))
    page = read_jobs.open(reader, "hostile")
    page.get_by_role("list", name="Speakers").get_by_role("button").first.click()
    page.get_by_role("textbox", name="Name of Speaker 1").fill(MARKUP[:80])
    page.get_by_role("button", name="Save").click()
    expect(page.locator("article .name").first).to_have_text(MARKUP[:80])
    page.reload()
    expect(page.locator("article .name").first).to_have_text(MARKUP[:80])
    assert page.locator("button.name img").count() == 0


def test_a_transcript_without_speech_says_so(reader: Tab, read_jobs: ReadJob) -> None:
    read_jobs.write("first", transcript_of([], duration_sec=60))
    page = read_jobs.open(reader, "first")
    expect(page.get_by_role("status")).to_have_text("No speech was found in this recording.")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    reader.check_accessible()


def test_a_recording_that_is_gone_or_cannot_be_played_is_explained(reader: Tab, read_jobs: ReadJob) -> None:
    read_jobs.recording("gone").unlink(missing_ok=True)
    page = read_jobs.open(reader, "gone")
    expect(page.get_by_role("alert")).to_contain_text("There is no file")
    expect(page.locator("article").first).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_hidden()
    read_jobs.recording("unplayable").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(1_000))
    page = read_jobs.open(reader, "unplayable")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[data-part=warnings]")).to_contain_text("The recording has changed")
    reader.check_accessible()


def test_files_of_the_job_lead_to_each_other_and_to_the_job(calm: Page, read_jobs: ReadJob) -> None:
    calm.get_by_role("link", name="Next file").click()
    expect(calm.get_by_role("heading", level=1)).to_have_text("gone.wav")
    calm.get_by_role("link", name="Previous file").click()
    expect(calm.get_by_role("heading", level=1)).to_have_text("first.wav")
    calm.get_by_role("link", name="calls of May").click()
    calm.wait_for_url(f"**/jobs/{read_jobs.job_id}")


def test_without_a_waveform_there_is_a_plain_bar(reader: Tab, read_jobs: ReadJob, reader_server: Server) -> None:
    records = open_records(load_settings(data_dir=reader_server.data_dir, database_url=reader_server.database_url))
    with records.transaction() as connection:
        connection.execute(sa.delete(waveform).where(waveform.c.seq == seq_of(read_jobs.file_ids["bare"])))
    records.database.dispose()
    write_silence(read_jobs.recording("bare"), duration_sec=60)
    read_jobs.write("bare", transcript_of(CALM, duration_sec=60))
    page = read_jobs.open(reader, "bare")
    expect(page.locator(".has-waveform")).to_have_count(0)
    bar = page.get_by_role("slider", name="Position")
    bar.click()
    assert abs(time_of(page) - 30) < 1
    reader.check_accessible()


def test_a_download_that_fails_says_why(reader: Tab, read_jobs: ReadJob) -> None:
    page = read_jobs.open(reader, "lost")
    (read_jobs.folder / "out" / "lost.json").unlink()
    page.get_by_role("link", name="json").click()
    expect(page.get_by_role("main")).to_contain_text("There is no file")
    assert page.url.endswith("/download/json")
    reader.check_accessible()
    page.get_by_role("link", name="Back to the transcript").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("lost.wav")


def test_without_scripts_there_are_the_downloads(
    open_tab_at: OpenTab, reader_server: Server, reader_key: Key, read_jobs: ReadJob
) -> None:
    tab = open_tab_at(reader_server.url, java_script_enabled=False)
    tab.sign_in(reader_key.api_secret)
    page = tab.open(read_jobs.path("bare"))
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("noscript p")).to_contain_text("The transcript and the player need JavaScript.")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="txt").click()
    assert downloading.value.suggested_filename == "bare.txt"
    tab.problems = [problem for problem in tab.problems if "was preloaded" not in problem]  # for the scripts
