/** The keys of the reader. They never act in fields, in dialogs, or together with Ctrl, Alt or Meta. */

const FIELDS = "input:not([type=range]), textarea, select, [contenteditable]";
/** The space bar presses buttons and opens lists; it must not do anything else there. */
const PRESSED = "button, summary, a";
const SWITCH = "batchscribe-reader-keys";

export class Keys {
  /**
   * @param {Record<string, () => void>} actions by the value of `KeyboardEvent.key`
   * @param {HTMLDialogElement} help with a checkbox that turns the keys off
   */
  constructor(actions, help) {
    /** @type {Record<string, () => void>} */
    this.actions = { ...actions, "?": () => help.showModal() };
    const box = /** @type {HTMLInputElement} */ (help.querySelector("input[type=checkbox]"));
    box.checked = localStorage.getItem(SWITCH) !== "off";
    box.addEventListener("change", () => localStorage.setItem(SWITCH, box.checked ? "on" : "off"));
    this.box = box;
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const action = this.actions[event.key];
    if (!action || !this.box.checked || this.#isTaken(event)) return;
    event.preventDefault();
    action();
  }

  /** @param {KeyboardEvent} event */
  #isTaken(event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return true;
    const target = event.target instanceof Element ? event.target : document.body;
    const pressed = event.key === " " || event.key === "Enter" ? `, ${PRESSED}` : "";
    return target.closest(FIELDS + pressed) !== null || document.querySelector("dialog[open]") !== null;
  }
}
