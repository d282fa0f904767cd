"""The reader of a real call with two speakers, transcribed by Whisper: its sound, its words and its speakers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.readings import ReadJob, is_playing, read_job, spoken_now, time_of, wait_past
from tests.contract.server import Key, Server

LINGER_SEC = 0.4  #: as in `transcript.js`
#: Returns null until two waves are drawn.
WAVE_COLORS = """() => {
  const root = document.querySelector('[data-part=waveform] div').shadowRoot;
  const colors = [...root.querySelectorAll('.canvases canvas')].map(canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) return [...data.slice(i, i + 3)].join();
  });
  return colors.length >= 2 && colors.every(Boolean) ? colors : null;
}"""


@pytest.fixture(scope="module")
def call_server(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("call")
    settings = {
        "BATCHSCRIBE_ENGINE": "whisper",
        "BATCHSCRIBE_WHISPER_MODEL": str(base_model),
        "BATCHSCRIBE_FILE_ROOTS": str(folder),
    }
    with Server(folder / "server", settings) as server:
        yield server


@pytest.fixture(scope="module")
def call_key(call_server: Server) -> Key:
    return call_server.new_key("alice")


@pytest.fixture(scope="module")
def call(call_server: Server, call_key: Key, examples: Path) -> ReadJob:
    folder = call_server.folder.parent
    (folder / "in").mkdir()
    shutil.copy(examples / "library-call.mp3", folder / "in")
    return read_job(call_server, call_key, folder, channel_separation=True)


@pytest.fixture
def page(open_tab_at: OpenTab, call_server: Server, call_key: Key, call: ReadJob) -> Page:
    tab = open_tab_at(call_server.url)
    tab.sign_in(call_key.api_secret)
    return call.open(tab, "library-call")


@pytest.fixture(scope="module")
def segments(call: ReadJob) -> list[dict[str, Any]]:
    document = json.loads((call.folder / "out" / "library-call.json").read_text())
    return list(document["result"]["segments"])


def test_all_segments_are_in_order_with_their_times_and_speakers(page: Page, segments: list[dict[str, Any]]) -> None:
    snapshot = page.get_by_role("feed", name="Transcript").aria_snapshot()
    lines = [line.strip() for line in snapshot.splitlines() if "- article" in line]
    assert lines == [f'- article "{segment["speaker"]} {clock(segment["start"])}":' for segment in segments]
    for number, segment in enumerate(segments):
        article = page.locator("article").nth(number)
        expect(article.locator(".text")).to_have_text(segment["text"])
        expect(article).to_have_attribute("aria-posinset", str(number + 1))
        expect(article).to_have_attribute("aria-setsize", str(len(segments)))


def clock(sec: float) -> str:
    return f"{int(sec // 60)}:{int(sec % 60):02d}"


def test_words_are_lit_while_they_are_spoken(page: Page, segments: list[dict[str, Any]]) -> None:
    page.keyboard.press("Space")
    wait_past(page, 1)
    seen = set()
    for _ in range(40):
        sec, lit = spoken_now(page)
        assert set(lit) <= words_around(segments, sec), (sec, lit)
        assert lit or not words_at(segments, sec), sec
        seen.update(lit)
        page.wait_for_timeout(60)
    assert len(seen) >= 5
    assert is_playing(page)


def words_at(segments: list[dict[str, Any]], sec: float) -> set[str]:
    """The words that are spoken at this time."""
    words = (word for segment in segments for word in segment["words"])
    return {word["word"] for word in words if word["start"] <= sec < word["end"]}


def words_around(segments: list[dict[str, Any]], sec: float) -> set[str]:
    """The words that may be lit."""
    words = (word for segment in segments for word in segment["words"])
    return {word["word"] for word in words if word["start"] <= sec < word["end"] + LINGER_SEC}


def test_a_click_on_a_word_plays_from_there(page: Page, segments: list[dict[str, Any]]) -> None:
    word = segments[5]["words"][3]
    page.evaluate(
        "() => { document.querySelector('audio').onseeking = event => { window.sought = event.target.currentTime; } }"
    )
    page.locator("article").nth(5).locator("[data-word='3']").click()
    wait_past(page, word["start"])
    assert page.evaluate("window.sought") == pytest.approx(word["start"], abs=0.1)
    assert is_playing(page)


def test_selecting_text_does_not_play_and_copies_speakers(page: Page, segments: list[dict[str, Any]]) -> None:
    page.evaluate("window.copied = ''; document.addEventListener('copy', event => "
                  "setTimeout(() => window.copied = event.clipboardData.getData('text/plain')));")  # fmt: skip
    first, last = page.locator("article .text").nth(1), page.locator("article .text").nth(3)
    first.hover(position={"x": 1, "y": 10})
    page.mouse.down()
    last.hover(position={"x": 300, "y": 10})
    page.mouse.up()
    copied = page.evaluate(
        "() => { const data = new DataTransfer(); document.dispatchEvent(new ClipboardEvent('copy', "
        "{clipboardData: data, bubbles: true, cancelable: true})); return data.getData('text/plain'); }"
    )
    lines = copied.splitlines()
    assert lines[:2] == [f"{segment['speaker']}: {segment['text']}" for segment in segments[1:3]]
    assert segments[3]["text"].startswith(lines[2].partition(": ")[2])
    assert not is_playing(page)


def test_a_link_to_a_time_goes_there_and_marks_its_segment(page: Page, segments: list[dict[str, Any]]) -> None:
    page.locator("article .time").nth(6).click()
    assert page.evaluate("location.hash") == f"#t={segments[6]['start']:g}"
    page.reload()
    expect(page.locator("article.linked .text")).to_have_text(segments[6]["text"])
    assert abs(time_of(page) - segments[6]["start"]) < 0.01
    assert not is_playing(page)


def test_each_channel_has_a_wave_in_the_color_of_its_speaker(page: Page) -> None:
    page.locator(".has-waveform").wait_for()
    colors = page.wait_for_function(WAVE_COLORS).json_value()
    assert colors == ["157,181,234", "227,179,141"]  # --wave of the first two voices in reader.css


def test_a_name_of_a_speaker_stays_and_is_in_the_downloads(page: Page) -> None:
    page.get_by_role("list", name="Speakers").get_by_role("button", name="Speaker 1R").click()
    page.get_by_role("textbox", name="Name of Speaker 1R").fill("Mrs. Bell")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("article .name", has_text="Mrs. Bell").first).to_be_visible()
    page.reload()
    expect(page.locator("article .name", has_text="Mrs. Bell").first).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="txt").click()
    assert "Mrs. Bell: Good morning." in downloading.value.path().read_text()
    page.locator("article .name", has_text="Mrs. Bell").first.click()
    page.get_by_role("textbox", name="Name of Speaker 1R").fill("")
    page.keyboard.press("Enter")
    expect(page.locator("article .name", has_text="Mrs. Bell")).to_have_count(0)


def test_every_format_can_be_downloaded(page: Page) -> None:
    words = dict.fromkeys(("json", "srt", "vtt", "txt"), "borrow") | {"peaks": "channels"}
    assert page.locator(".downloads a").all_inner_texts() == list(words)
    for name, word in words.items():
        with page.expect_download() as downloading:
            page.get_by_role("link", name=name, exact=True).click()
        assert downloading.value.suggested_filename == f"library-call.{name}"
        assert word in downloading.value.path().read_text()


@pytest.mark.parametrize(
    "settings",
    [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}, "has_touch": True}],
    ids=["light", "dark", "phone"],
)
def test_the_reader_is_accessible(
    open_tab_at: OpenTab, call_server: Server, call_key: Key, call: ReadJob, settings: dict[str, Any]
) -> None:
    tab = open_tab_at(call_server.url, **settings)
    tab.sign_in(call_key.api_secret)
    page = call.open(tab, "library-call", "?q=book#t=8")
    page.locator("mark.current").wait_for()
    tab.check_accessible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    page.get_by_role("list", name="Speakers").get_by_role("button").first.press("Enter")
    tab.check_accessible()
