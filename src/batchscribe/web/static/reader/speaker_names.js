/** The speakers of the transcript with their share of the speech, and the dialog that gives them names. */

import { send } from "./answers.js";
import { requireElement } from "./elements.js";

/** @typedef {import("./voices.js").Voices} Voices */
/** @typedef {import("./voices.js").Voice} Voice */

export class SpeakerNames {
  /**
   * @param {HTMLElement} legend a list
   * @param {HTMLDialogElement} dialog
   * @param {Voices} voices
   * @param {string} url that takes names
   */
  constructor(legend, dialog, voices, url) {
    this.dialog = dialog;
    this.voices = voices;
    this.url = url;
    this.input = requireElement(dialog, "input[name=name]", HTMLInputElement);
    this.label = requireElement(dialog, "[data-part=label]", HTMLElement);
    this.trouble = requireElement(dialog, "[role=alert]", HTMLElement);
    /** @type {Map<Voice, HTMLButtonElement>} */
    this.buttons = new Map();
    for (const voice of voices.all) legend.append(this.#entry(voice));
    requireElement(dialog, "form", HTMLFormElement).addEventListener("submit", (event) => this.#save(event));
    requireElement(dialog, "[data-action=cancel]", HTMLButtonElement).addEventListener("click", () => dialog.close());
  }

  /** @param {Voice} voice */
  ask(voice) {
    this.voice = voice;
    this.label.textContent = voice.label;
    this.input.value = voice.name === voice.label ? "" : voice.name;
    this.input.placeholder = voice.label;
    this.trouble.textContent = "";
    this.dialog.showModal();
    this.input.focus();
  }

  /** @param {Voice} voice */
  #entry(voice) {
    const entry = document.createElement("li");
    entry.className = voice.className;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "name";
    button.dir = "auto";
    button.title = "Rename";
    button.textContent = voice.name;
    button.addEventListener("click", () => this.ask(voice));
    this.buttons.set(voice, button);
    const share = document.createElement("span");
    share.className = "share";
    share.textContent = shareOf(voice, this.voices.totalSec);
    entry.append(button, share);
    return entry;
  }

  /** @param {SubmitEvent} event */
  async #save(event) {
    event.preventDefault();
    const voice = this.voice;
    if (!voice) return;
    const name = this.input.value.trim();
    const fields = new FormData();
    fields.set("label", voice.label);
    fields.set("name", name);
    try {
      await send(this.url, fields);
    } catch (error) {
      this.trouble.textContent = String(/** @type {Error} */ (error).message);
      return;
    }
    this.voices.rename(voice, name);
    const button = this.buttons.get(voice);
    if (button) button.textContent = voice.name;
    this.dialog.close();
  }
}

/** @param {Voice} voice @param {number} totalSec */
function shareOf({ seconds }, totalSec) {
  const percent = totalSec ? (100 * seconds) / totalSec : 0;
  return percent > 0 && percent < 1 ? "less than 1 %" : `${Math.round(percent)} %`;
}
