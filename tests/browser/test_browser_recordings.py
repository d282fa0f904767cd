"""What a page of any website records with a microphone: Chromium's MediaRecorder writes it, the decoder reads it."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Browser

from batchscribe.errors import MediaError
from tests.unit.test_audio_timeline import heard, onsets_sec

#: Two tones, a second apart, recorded for two and a half seconds; with a picture on request. A recording during which
#: the page or its sound stood still, as on a busy machine, is made again: its times are not those that were asked for.
RECORD = """async ([type, hasPicture, stillMs]) => {
  const record = async () => {
    const context = new AudioContext();
    await context.resume();
    const output = context.createMediaStreamDestination();
    const tone = context.createOscillator();
    const level = context.createGain();
    level.gain.value = 0;
    tone.connect(level).connect(output);
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
    const [began, heard] = [performance.now(), context.currentTime];
    recorder.start(250);
    for (const at of [0.7, 1.7]) {
      level.gain.setValueAtTime(0.5, heard + at);
      level.gain.setValueAtTime(0, heard + at + 0.3);
    }
    let [still, last] = [0, began];
    while (last - began < 2500) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const now = performance.now();
      still = Math.max(still, now - last, Math.abs(now - began - 1000 * (context.currentTime - heard)));
      last = now;
    }
    recorder.stop();
    await end;
    await context.close();
    return still < stillMs && new Blob(parts).arrayBuffer();
  };
  let content;
  while (!(content = await record()));
  return btoa(new Uint8Array(content).reduce((text, byte) => text + String.fromCharCode(byte), ''));
}"""
STILL_MS = 100  #: as much as the times of a recording may differ


def recorded(browser: Browser, media_type: str) -> bytes:
    page = browser.new_page()
    page.mouse.click(10, 10)  # without it, a page may not make sound
    content = base64.b64decode(page.evaluate(RECORD, [media_type, media_type.startswith("video"), STILL_MS]))
    page.close()
    return content


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
    channels, media = heard(recorded(browser, media_type))
    first_sec, second_sec = onsets_sec(channels[0])
    assert second_sec - first_sec == pytest.approx(1.0, abs=0.1)
    assert 0.3 < first_sec < second_sec < media.duration_sec
    assert media.duration_sec == pytest.approx(2.5, abs=0.4)
    assert (media.container, media.warnings) == (container, ())


def test_the_last_part_of_a_recording_of_a_browser_alone_is_refused(browser: Browser) -> None:
    """A page that uploads part by part may lose the first, which has the head."""
    content = recorded(browser, "audio/webm;codecs=opus")
    with pytest.raises(MediaError, match="not a WAV"):
        heard(content[len(content) // 2 :])
