/** The page of the reader: gets the transcript and the waveform, and connects the keys. */

import { AccessForm } from "./access_form.js";
import { ask } from "./answers.js";
import { Keys } from "./keys.js";
import { compareVersions, showFacts, showWarnings } from "./notes.js";
import { find, SKIP_SEC } from "./player_bar.js";
import { Reader } from "./reader.js";
import { Transcript } from "./transcript.js";

const root = find(document, "#reader", HTMLElement);
const urls = root.dataset;

/** @param {Reader} reader */
function connectKeys(reader) {
  const help = find(root, "[data-part=key-dialog]", HTMLDialogElement);
  find(root, "[data-action=keys]", HTMLButtonElement).addEventListener("click", () => help.showModal());
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

/** @param {Reader} reader */
async function showWaveform(reader) {
  const container = find(root, "[data-part=waveform]", HTMLElement);
  const answer = await ask(urls.waveform ?? "").catch(() => null);
  const peaks = await answer?.json();
  if (!peaks?.channels?.length) return;
  const { drawWaveform } = await import("./waveform.js");
  const { player, transcript, voices } = reader;
  drawWaveform(container, player.audio, peaks, transcript.durationSec, voices, urls.nonce ?? "");
  find(root, "[data-part=player]", HTMLElement).classList.add("has-waveform");
  reader.list.update();
}

async function open() {
  const status = find(root, "[data-part=status]", HTMLElement);
  const access = new AccessForm(find(root, "[data-part=access]", HTMLFormElement), urls.file ?? "");
  access.onAccess = () => location.reload();
  let answer;
  try {
    answer = await ask(urls.transcript ?? "");
  } catch (error) {
    const refusal = /** @type {import("./answers.js").ServerError} */ (error);
    status.textContent = refusal.message;
    status.className = "note warn";
    if (refusal.access) access.show(refusal.access);
    return;
  }
  const transcript = new Transcript(await answer.json());
  status.textContent = transcript.segments.length ? "" : "No speech was found in this recording.";
  status.hidden = transcript.segments.length > 0;
  const warnings = find(root, "[data-part=warnings]", HTMLElement);
  showFacts(find(root, "[data-part=facts]", HTMLElement), transcript);
  showWarnings(warnings, transcript.warnings);
  find(root, "[data-part=player]", HTMLElement).hidden = false;
  const reader = new Reader(root, transcript);
  connectKeys(reader);
  await Promise.all([
    showWaveform(reader),
    compareVersions(warnings, urls.audio ?? "", transcript.recordingVersion),
  ]);
}

open();
