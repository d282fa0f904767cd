/** The page of the reader: gets the transcript and the waveform, and connects the keys. */

import { AccessForm } from "./access_form.js";
import { ask } from "./answers.js";
import { requireElement } from "./elements.js";
import { Keys } from "./keys.js";
import { compareVersions, showFacts, showWarnings } from "./notes.js";
import { SKIP_SEC } from "./player_bar.js";
import { Reader } from "./reader.js";
import { Transcript } from "./transcript.js";

const PARTIAL =
  "The stored transcript cannot be read now. This is the text that is stored for search, without word times, flags and languages.";

const root = requireElement(document, "#reader", HTMLElement);
const urls = root.dataset;

/** @param {Reader} reader */
function connectKeys(reader) {
  const help = requireElement(root, "[data-part=key-dialog]", HTMLDialogElement);
  requireElement(root, "[data-action=keys]", HTMLButtonElement).addEventListener("click", () => help.showModal());
  new Keys(
    {
      " ": () => reader.player.toggle(),
      ArrowLeft: () => reader.player.skip(-SKIP_SEC),
      ArrowRight: () => reader.player.skip(SKIP_SEC),
      ArrowUp: () => reader.step(-1),
      ArrowDown: () => reader.step(1),
      "/": () => reader.find.focus(),
      Escape: () => reader.find.clear(),
    },
    help,
  );
}

/** @returns {Promise<import("./reader.js").DrawWaveform | null>} null if the recording has no waveform */
async function loadWaveform() {
  const answer = await ask(urls.waveform ?? "").catch(() => null);
  const peaks = await answer?.json();
  if (!peaks?.channels?.length) return null;
  const { drawWaveform } = await import("./waveform.js");
  const container = requireElement(root, "[data-part=waveform]", HTMLElement);
  return (audio, durationSec, voices) => drawWaveform(container, audio, peaks, durationSec, voices, urls.nonce ?? "");
}

async function open() {
  const status = requireElement(root, "[data-part=status]", HTMLElement);
  const access = new AccessForm(requireElement(root, "[data-part=access]", HTMLFormElement), urls.file ?? "");
  access.onAccess = () => location.reload();
  const waveform = loadWaveform();
  let answer;
  try {
    answer = await ask(urls.transcript ?? "");
  } catch (error) {
    const refusal = /** @type {import("./answers.js").ServerError} */ (error);
    status.textContent = refusal.message;
    status.className = "notice warn";
    if (refusal.access) access.show(refusal.access);
    return;
  }
  const transcript = new Transcript(await answer.json());
  status.textContent = transcript.segments.length ? "" : "No speech was found in this recording.";
  status.hidden = transcript.segments.length > 0;
  const draw = await waveform;
  const warnings = requireElement(root, "[data-part=warnings]", HTMLElement);
  showFacts(requireElement(root, "[data-part=facts]", HTMLElement), transcript);
  showWarnings(warnings, transcript.isPartial ? [PARTIAL, ...transcript.warnings] : transcript.warnings);
  requireElement(root, "[data-part=player]", HTMLElement).hidden = false;
  connectKeys(new Reader(root, transcript, draw));
  await compareVersions(warnings, urls.audio ?? "", transcript.recordingVersion);
}

open();
