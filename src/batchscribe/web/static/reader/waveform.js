/** The waveform of the recording, from peaks that the server has. It has one wave for each channel. */

import WaveSurfer from "../vendor/wavesurfer.esm.js";

/** @typedef {import("./voices.js").Voices} Voices */
/** @typedef {{peak_sec: number, channels: number[][]}} Peaks from 0 to 255 */

const MAX_PEAK = 255;
const HEIGHT_PX = { 1: 56, 2: 34 };
const LEAST_PEAKS = 1000;
const LEAST_HEIGHT_PX = 22;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

/**
 * Draw the waveform, which follows the audio element. The bar above it takes clicks and keys.
 *
 * @param {HTMLElement} container
 * @param {HTMLAudioElement} audio
 * @param {Peaks} peaks
 * @param {number} durationSec
 * @param {Voices} voices
 * @param {string} nonce that allows the styles of wavesurfer
 */
export function drawWaveform(container, audio, peaks, durationSec, voices, nonce) {
  container.style.height = `${heightOf(peaks.channels.length) * peaks.channels.length}px`;
  const scale = MAX_PEAK * Math.max(0.05, loudest(peaks));
  const surfer = WaveSurfer.create({
    container,
    media: audio,
    peaks: peaks.channels.map((channel) => fillBars(channel).map((peak) => peak / scale)),
    duration: durationSec,
    interact: false,
    cursorWidth: 0,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    cspNonce: nonce,
    ...colored(container, peaks.channels.length, voices),
  });
  dark.addEventListener("change", () => surfer.setOptions(colored(container, peaks.channels.length, voices)));
}

/** @param {number[]} peaks @returns {number[]} at least one for each bar, also of a short recording */
function fillBars(peaks) {
  const times = Math.ceil(LEAST_PEAKS / peaks.length);
  return times > 1 ? peaks.flatMap((peak) => Array(times).fill(peak)) : peaks;
}

/** @param {Peaks} peaks @returns {number} from 0 to 1 */
function loudest({ channels }) {
  return channels.reduce((most, channel) => channel.reduce((a, b) => Math.max(a, b), most), 0) / MAX_PEAK;
}

/** @param {number} count of channels @returns {number} the height of each in pixels */
function heightOf(count) {
  return /** @type {Record<number, number>} */ (HEIGHT_PX)[count] ?? LEAST_HEIGHT_PX;
}

/**
 * @param {HTMLElement} container
 * @param {number} count of channels
 * @param {Voices} voices
 */
function colored(container, count, voices) {
  const height = heightOf(count);
  const waves = Array.from({ length: count }, (_, channel) => {
    const here = voices.onChannel(channel);
    const className = here.length === 1 ? here[0].className : "voice-0";
    return { height, ...waveColors(container, className) };
  });
  return { ...waves[0], splitChannels: waves };
}

/**
 * @param {HTMLElement} container
 * @param {string} className of a voice
 * @returns {{waveColor: string, progressColor: string}} as the style sheet says
 */
function waveColors(container, className) {
  const probe = document.createElement("span");
  probe.className = className;
  container.append(probe);
  const style = getComputedStyle(probe);
  const colors = {
    waveColor: style.getPropertyValue("--wave").trim(),
    progressColor: style.getPropertyValue("--voice").trim(),
  };
  probe.remove();
  return colors;
}
