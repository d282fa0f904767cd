"""`python -m tests.browser.screenshots`: writes the images of the documents, from a server with the example recordings.

Needs Chromium and the model Whisper base. Look at every image before you commit it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from moto.server import ThreadedMotoServer
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.browser.tab import Tab
from tests.contract.client import Client
from tests.contract.conftest import client_of
from tests.contract.server import Server
from tests.contract.strict import Json
from tests.documents import ROOT
from tests.models.published import published_model
from tests.servers.s3_server import S3Server

BUCKET = "city-library"
IMAGES = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1120, "height": 700}
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
CONFIG = {"channel_separation": True, "word_time_offsets": True}
TRANSCRIBED_SEC = 900.0
READER: ViewportSize = {"width": 1120, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 700}
NAMES = {"Speaker 1L": "Library", "Speaker 1R": "Mrs. Bell"}
PLAYED_MS = 1500  #: of the call, before it is paused
SETTLE_MS = 1000  #: for the waveform


def main() -> None:
    with TemporaryDirectory(prefix="screenshots-") as name, running_server(Path(name)) as server:
        key = server.new_key("city-library")
        with client_of(server, key) as client, sync_playwright() as playwright:
            job_id = transcribe(client)
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            context = browser.new_context(viewport=SIZE, color_scheme="light", timezone_id="UTC", locale="en-US")
            tab = Tab.opened(context, server.url)
            tab.sign_in(key.api_secret)
            take(tab.open("/"), "jobs")
            take(tab.open(f"/jobs/{job_id}"), "job")
            take(tab.open("/submit"), "submit")
            take_reader(tab, job_id)
            take(tab.open("/search?q=library"), "search")
            browser.close()
        assert tab.problems == [], tab.problems


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Yield a server that transcribes with a real model, with a bucket that has the example recordings."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    bucket = S3Server(f"http://{host}:{port}", "any-key", "any-secret")
    bucket.client().create_bucket(Bucket=BUCKET)
    for recording in (ROOT / "examples" / "audio").iterdir():
        bucket.put(BUCKET, f"calls/{recording.name}", recording.read_bytes())
    environment = {
        "BATCHSCRIBE_ENGINE": "whisper",
        "BATCHSCRIBE_WHISPER_MODEL": str(published_model("base")),
        "BATCHSCRIBE_S3_ENDPOINT": bucket.endpoint,
        "BATCHSCRIBE_CREDENTIALS_KEEP_SEC": "3600",
    }
    try:
        with Server(folder, environment) as server:
            yield server
    finally:
        moto.stop()


def transcribe(client: Client) -> str:
    """Run jobs like those of a user. Return the ID of the one to show."""
    everything = job_for("calls/", "transcripts/") | {"config": CONFIG}
    job = client.done(everything | {"reference_id": "Recordings of October"}, within_sec=TRANSCRIBED_SEC)
    client.done(job_for("calls/weather.wav", "weather.srt"), 120)
    client.submit(everything | job_for("calls/", "again/") | {"reference_id": "Recordings of November"})
    return str(job["job_id"])


def job_for(source: str, output: str) -> Json:
    keys = {"aws": {"access_key_id": "any-key", "secret_access_key": "any-secret"}}
    return {
        "input": {"uri": f"s3://{BUCKET}/{source}", "auth": keys},
        "output": {"uri": f"s3://{BUCKET}/{output}", "auth": keys},
    }


def take_reader(tab: Tab, job_id: str) -> None:
    """Take the reader in the middle of a call, also on a phone in dark mode."""
    page = tab.open(f"/jobs/{job_id}")
    page.get_by_role("link", name="library-call.mp3").click()
    for label, name in NAMES.items():
        page.get_by_role("list", name="Speakers").get_by_role("button", name=label).click()
        page.get_by_role("textbox").last.fill(name)
        page.get_by_role("button", name="Save").click()
    page.set_viewport_size(READER)
    page.locator("article", has_text="written by a doctor").locator(".word", has_text="written").click()
    page.wait_for_timeout(PLAYED_MS)
    page.get_by_role("button", name="Pause").click()
    take(page, "reader")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)
    page.mouse.wheel(0, PHONE["height"])
    page.get_by_role("button", name="Back to the current word").click()
    page.mouse.move(0, 0)
    take(page, "reader-phone")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(SIZE)


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("load")
    page.wait_for_timeout(SETTLE_MS)
    IMAGES.mkdir(exist_ok=True)
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
