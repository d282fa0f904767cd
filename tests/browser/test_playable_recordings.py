"""Which recordings Chromium plays from our byte ranges, and what the page says about the others: see docs/reader.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Response, expect

from tests.audio_files import encoded, noise, tone, wav
from tests.audio_videos import video, vorbis
from tests.browser.conftest import OpenTab
from tests.browser.readings import ReadJob, read_job, wait_past
from tests.contract.server import Key, Server
from tests.integration.command import wait_until

LONG_SEC = 120  #: 23 MB, twelve parts
RATE = 48_000
PLAYED: dict[str, Callable[[], bytes]] = {
    "long.wav": lambda: wav(noise(LONG_SEC, channels=2, rate=RATE), rate=RATE),
    "mulaw.wav": lambda: encoded(tone(3, 440, rate=8000), codec="pcm_mulaw", container="wav", rate=8000),
    "alaw.wav": lambda: encoded(tone(3, 440, rate=8000), codec="pcm_alaw", container="wav", rate=8000),
    "mp3.wav": lambda: encoded(tone(3, 440, rate=RATE), codec="mp3", container="wav", rate=RATE),
    "plain.mp3": lambda: encoded(tone(3, 440, rate=RATE), codec="mp3", container="mp3", rate=RATE),
    "aac.m4a": lambda: encoded(tone(3, 440, rate=RATE), codec="aac", container="mp4", rate=RATE),
    "frames.aac": lambda: encoded(tone(3, 440, rate=RATE), codec="aac", container="adts", rate=RATE),
    "whole.flac": lambda: encoded(tone(3, 440, rate=RATE), codec="flac", container="flac", rate=RATE),
    "flac.oga": lambda: encoded(tone(3, 440, rate=RATE), codec="flac", container="ogg", rate=RATE),
    "voice.opus": lambda: encoded(tone(3, 440, rate=RATE), codec="libopus", container="opus", rate=RATE),
    "vorbis.ogg": lambda: vorbis(tone(3, 440, rate=RATE), container="ogg", rate=RATE),
    "opus.webm": lambda: encoded(tone(3, 440, rate=RATE), codec="libopus", container="webm", rate=RATE),
    "browser.webm": lambda: encoded(
        tone(3, 440, rate=RATE), codec="libopus", container="webm", rate=RATE, options={"live": "1"}
    ),
    "video.webm": lambda: video(tone(3, 440, rate=RATE)),
    "picture.mkv": lambda: video(tone(3, 440, rate=RATE), codec="mjpeg", container="matroska", sound_codec="aac"),
}
NOT_PLAYED: dict[str, Callable[[], bytes]] = {
    "alac.m4a": lambda: encoded(tone(3, 440, rate=RATE), codec="alac", container="mp4", rate=RATE),
    "adpcm.wav": lambda: encoded(tone(3, 440, rate=RATE), codec="adpcm_ima_wav", container="wav", rate=RATE),
}


@pytest.fixture(scope="module")
def job(server: Server, alice_key: Key, recordings: Path) -> ReadJob:
    folder = recordings / "kinds"
    (folder / "in").mkdir(parents=True)
    for name, make in (PLAYED | NOT_PLAYED).items():
        (folder / "in" / name).write_bytes(make())
    return read_job(server, alice_key, folder, segmentation_mode="none")


def open_reader(open_tab: OpenTab, key: Key, job: ReadJob, name: str) -> Page:
    tab = open_tab()
    tab.sign_in(key.api_secret)
    return job.open(tab, name.partition(".")[0])


@pytest.mark.parametrize("name", [name for name in PLAYED if name != "long.wav"])
def test_it_is_played(name: str, open_tab: OpenTab, alice_key: Key, job: ReadJob) -> None:
    page = open_reader(open_tab, alice_key, job, name)
    page.evaluate("document.querySelector('audio').muted = true")
    page.evaluate("document.querySelector('audio').play()")
    wait_past(page, 1)
    # Of some kinds, the duration is known only when the browser has read the end.
    wait_until(lambda: page.evaluate("document.querySelector('audio').duration") == pytest.approx(3.0, abs=0.15))


def test_a_long_recording_is_played_from_part_to_part(open_tab: OpenTab, alice_key: Key, job: ReadJob) -> None:
    page = open_reader(open_tab, alice_key, job, "long.wav")
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(_size(answer)))
    audio = "document.querySelector('audio')"
    page.evaluate(f"{audio}.muted = true")
    page.evaluate(f"{audio}.playbackRate = 16")
    page.evaluate(f"{audio}.play()")
    wait_past(page, 40)  # in the fourth part
    page.evaluate(f"{audio}.currentTime = 100")
    wait_past(page, 110)
    assert page.evaluate(f"{audio}.error") is None
    assert max(sizes) == 2 * 2**20
    assert np.sum(sizes) > 4 * 2**20


def _size(answer: Response) -> int:
    """Return the size of a part; 0 for anything else."""
    return int(answer.headers["content-length"]) if answer.status == 206 else 0


@pytest.mark.parametrize("name", NOT_PLAYED)
def test_the_page_says_what_this_browser_cannot_play(
    name: str, open_tab: OpenTab, alice_key: Key, job: ReadJob
) -> None:
    page = open_reader(open_tab, alice_key, job, name)
    expect(page.get_by_text("This browser cannot play this kind of recording.")).to_be_visible()
