/** Why the recording does not play, in a sentence, with the form that gives the server access to it. */

import { AccessForm } from "./access_form.js";
import { ask } from "./answers.js";
import { requireElement } from "./elements.js";

/** @typedef {import("./player.js").Player} Player */

export class RecordingTrouble {
  /**
   * @param {HTMLElement} root with a sentence and a form
   * @param {Player} player
   * @param {string} fileId
   */
  constructor(root, player, fileId) {
    this.root = root;
    this.player = player;
    this.sentence = requireElement(root, "[data-part=sentence]", HTMLElement);
    this.access = new AccessForm(requireElement(root, "form", HTMLFormElement), fileId);
    this.access.onAccess = () => this.onAccess();
    /** Called after the server got access. */
    this.onAccess = () => player.load();
    /** Called when it becomes known whether the recording can be played. @param {boolean} canPlay */
    this.onChange = (canPlay) => {};
    player.audio.addEventListener("error", () => this.#explain());
    player.audio.addEventListener("loadedmetadata", () => this.#hide());
  }

  async #explain() {
    let sentence = "This browser cannot play this kind of recording. Download it from your storage to play it in another program.";
    /** @type {import("./access_form.js").AccessField[] | null} */
    let access = null;
    try {
      await ask(this.player.url, { headers: { Range: "bytes=0-0" } });
    } catch (error) {
      ({ message: sentence, access } = /** @type {import("./answers.js").ServerError} */ (error));
    }
    this.sentence.textContent = sentence;
    if (access) this.access.show(access);
    else this.access.hide();
    this.root.hidden = false;
    this.onChange(false);
  }

  #hide() {
    if (this.root.hidden) return;
    this.root.hidden = true;
    this.onChange(true);
  }
}
