"""What a page of any website records with a microphone: Chromium's MediaRecorder writes it, the decoder reads it."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Browser

from batchscribe.errors import MediaError
from tests.unit.test_audio_timeline import heard, onsets_sec

#: Two tones, a second apart, recorded for two and a half seconds; with a picture on request.
RECORD = """async ([type, hasPicture]) => {
  const context = new AudioContext();
  await context.resume();
  const output = context.createMediaStreamDestination();
  const tone = context.createOscillator();
  const level = context.createGain();
  level.gain.value = 0;
  tone.connect(level).connect(output);
  for (const at of [0.7, 1.7]) {
    level.gain.setValueAtTime(0.5, context.currentTime + at);
    level.gain.setValueAtTime(0, context.currentTime + at + 0.3);
  }
  tone.start();
  const tracks = output.stream.getTracks();
  if (hasPicture) {
    const canvas = document.createElement('canvas');
    const brush = canvas.getContext('2d');
    setInterval(() => { brush.fillStyle = `hsl(${Math.random()}turn 90% 50%)`; brush.fillRect(0, 0, 300, 150); }, 50);
    tracks.push(...canvas.captureStream(20).getTracks());
  }
  const recorder = new MediaRecorder(new MediaStream(tracks), {mimeType: type});
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const end = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start(250);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  recorder.stop();
  await end;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
}"""


@pytest.mark.parametrize(
    ("media_type", "container"),
    [
        ("audio/webm;codecs=opus", "webm"),
        ("audio/webm;codecs=pcm", "webm"),
        ("video/webm;codecs=vp8,opus", "webm"),
        ("video/webm;codecs=vp9,opus", "webm"),
        ("audio/mp4;codecs=opus", "m4a"),
    ],
)
def test_a_recording_of_a_browser_has_its_sound_and_its_times(
    browser: Browser, media_type: str, container: str
) -> None:
    page = browser.new_page()
    page.mouse.click(10, 10)  # without it, a page may not make sound
    content = base64.b64decode(page.evaluate(RECORD, [media_type, media_type.startswith("video")]))
    page.close()
    channels, media = heard(content)
    first_sec, second_sec = onsets_sec(channels[0])
    assert second_sec - first_sec == pytest.approx(1.0, abs=0.1)
    assert 0.3 < first_sec < second_sec < media.duration_sec
    assert media.duration_sec == pytest.approx(2.5, abs=0.4)
    assert (media.container, media.warnings) == (container, ())


def test_the_last_part_of_a_recording_of_a_browser_alone_is_refused(browser: Browser) -> None:
    """A page that uploads part by part may lose the first, which has the head."""
    page = browser.new_page()
    page.mouse.click(10, 10)
    content = base64.b64decode(page.evaluate(RECORD, ["audio/webm;codecs=opus", False]))
    page.close()
    with pytest.raises(MediaError, match="not a WAV"):
        heard(content[len(content) // 2 :])
