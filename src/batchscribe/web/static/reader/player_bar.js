/** The controls of the player: buttons, speed, time, and the bar that shows and sets the position. */

import { clockTime } from "./clock.js";
import { requireElement } from "./elements.js";

/** @typedef {import("./player.js").Player} Player */

export const SKIP_SEC = 5;

export class PlayerBar {
  /**
   * @param {HTMLElement} root
   * @param {Player} player
   */
  constructor(root, player) {
    this.player = player;
    this.toggle = requireElement(root, "[data-action=toggle]", HTMLButtonElement);
    this.position = requireElement(root, "[data-part=position]", HTMLInputElement);
    this.time = requireElement(root, "[data-part=time]", HTMLElement);
    this.shownSec = -1;
    this.position.max = String(player.durationSec);
    this.toggle.addEventListener("click", () => player.toggle());
    requireElement(root, "[data-action=back]", HTMLButtonElement).addEventListener("click", () => player.skip(-SKIP_SEC));
    requireElement(root, "[data-action=forward]", HTMLButtonElement).addEventListener("click", () => player.skip(SKIP_SEC));
    const speed = requireElement(root, "select", HTMLSelectElement);
    speed.addEventListener("change", () => (player.speed = Number(speed.value)));
    this.position.addEventListener("input", () => player.seek(Number(this.position.value)));
    this.position.addEventListener("keydown", (event) => this.#key(event));
    this.showTime(0);
  }

  /** @param {number} sec */
  showTime(sec) {
    this.position.value = String(sec);
    const whole = Math.floor(sec);
    if (whole === this.shownSec) return;
    this.shownSec = whole;
    const [time, duration] = [clockTime(sec), clockTime(this.player.durationSec)];
    this.time.textContent = `${time} / ${duration}`;
    this.position.setAttribute("aria-valuetext", `${time} of ${duration}`);
  }

  /** @param {boolean} isPlaying */
  showPlaying(isPlaying) {
    this.toggle.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    this.toggle.classList.toggle("playing", isPlaying);
  }

  /** A step of the bar would be too short to notice. @param {KeyboardEvent} event */
  #key(event) {
    const skip = { ArrowLeft: -SKIP_SEC, ArrowDown: -SKIP_SEC, ArrowRight: SKIP_SEC, ArrowUp: SKIP_SEC }[event.key];
    if (skip === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.player.skip(skip);
  }
}
