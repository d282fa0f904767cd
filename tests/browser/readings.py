"""Jobs for the tests of the reader. A test may replace the transcripts and the recordings of their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Page

from batchscribe.transcript.as_json import render_json
from batchscribe.transcript.document import Metadata, Transcript
from batchscribe.transcript.segments import TranscriptSegment
from batchscribe.wire.config import Config
from tests.audio_files import wav_header
from tests.browser.tab import Tab
from tests.contract.server import Key, Server
from tests.integration.command import wait_until
from tests.recordings import write_wav

JOB_SEC = 120.0
API = "/v2/aiservices/scribe"


@dataclass(frozen=True, slots=True)
class ReadJob:
    """A job that has ended, with its recordings and transcripts in a folder."""

    folder: Path
    job_id: str
    file_ids: dict[str, str]  #: by the stem of the recording

    def path(self, stem: str) -> str:
        return f"/jobs/{self.job_id}/files/{self.file_ids[stem]}"

    def open(self, tab: Tab, stem: str, suffix: str = "") -> Page:
        """Open the reader and wait for the transcript. `suffix` follows the path."""
        page = tab.open(self.path(stem) + suffix)
        page.locator("[data-part=player]").wait_for()
        return page

    def write(self, stem: str, transcript: Transcript) -> None:
        (self.folder / "out" / f"{stem}.json").write_bytes(render_json(transcript))

    def recording(self, stem: str) -> Path:
        (found,) = (self.folder / "in").glob(f"{stem}.*")
        return found


def read_job(server: Server, key: Key, folder: Path, **config: Any) -> ReadJob:
    """Transcribe the recordings in `in` below the folder."""
    headers = {"Authorization": f"Bearer {key.api_secret}"}
    with httpx2.Client(base_url=server.url + API, headers=headers, timeout=60, trust_env=False) as http:
        body = {
            "input": {"mode": "PREFIX", "uri": f"{(folder / 'in').as_uri()}/"},
            "output": {"uri": f"{(folder / 'out').as_uri()}/"},
            "config": {"word_time_offsets": True, "word_confidence": True, **config},
            "reference_id": "calls of May",
        }
        answer = http.post("/jobs", json=body)
        assert answer.status_code == 201, answer.text
        job_id = answer.json()["job_id"]
        wait_until(lambda: http.get(f"/jobs/{job_id}").json().get("completed_at"), within_sec=JOB_SEC)
        files = http.get(f"/jobs/{job_id}/files").json()["files"]
    assert {file["state"] for file in files} == {"FILE_SUCCEEDED"}, files
    return ReadJob(folder, job_id, {Path(file["input_uri"]).stem: file["file_id"] for file in files})


def write_recordings(folder: Path, *stems: str) -> Path:
    for stem in stems:
        write_wav(folder / "in" / f"{stem}.wav")
    return folder


def write_silence(path: Path, *, duration_sec: int, rate: int = 8_000) -> None:
    """Replace a recording with silence that takes no space on the disk."""
    size = duration_sec * rate * 2
    with path.open("wb") as file:
        file.write(wav_header(n_bytes=size, rate=rate))
        file.truncate(file.tell() + size)


def transcript_of(
    segments: Sequence[TranscriptSegment], *, duration_sec: float, channels: int = 1, warnings: Sequence[str] = ()
) -> Transcript:
    """Return a transcript with word times and confidence. Several channels are separate."""
    return Transcript(
        request_id="req_1",
        duration_sec=duration_sec,
        model="scripted-1",
        channels=channels,
        segments=tuple(segments),
        config=Config(word_time_offsets=True, word_confidence=True, channel_separation=channels > 1),
        metadata=Metadata("scripted", None, "file:///in/a.wav", None, 7, warnings=tuple(warnings)),
    )


#: The bar shows the time for which the page has lit its words.
SPOKEN = """async () => {
  const { currentTime } = document.querySelector('audio');
  const bar = document.querySelector('[data-part=position]');
  while (bar.valueAsNumber < currentTime) await new Promise(requestAnimationFrame);
  return [bar.valueAsNumber, [...document.querySelectorAll('.word.spoken')].map(word => word.textContent)];
}"""


def spoken_now(page: Page) -> tuple[float, list[str]]:
    """Return a time that the recording has reached, and the words that the page has lit for this time."""
    sec, words = page.evaluate(SPOKEN)
    return sec, words


def time_of(page: Page) -> float:
    return float(page.evaluate("document.querySelector('audio').currentTime"))


def is_playing(page: Page) -> bool:
    return not page.evaluate("document.querySelector('audio').paused")


def wait_past(page: Page, sec: float) -> None:
    """Wait until the recording is past a time."""
    wait_until(lambda: time_of(page) > sec)
