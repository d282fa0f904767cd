/** One segment as a row of the list: its time, its speaker, its text and its flags. */

import { clockTime, timeFragment } from "./clock.js";
import { renderText } from "./segment_text.js";

/** @typedef {import("./transcript.js").Segment} Segment */
/** @typedef {import("./voices.js").Voice} Voice */
/** @typedef {import("./segment_text.js").Mark} Mark */

/** @type {Record<string, string>} */
const FLAGS = {
  low_confidence: "Doubtful: the engine guessed. Listen before you rely on this text.",
  low_speech: "Doubtful: more words than anyone can say in this time. Some may be invented.",
  repetition: "Doubtful: repeated unusually often. Something else may have been said.",
  no_speech: "Doubtful: the engine did not detect speech here. This text may be invented.",
};

export class SegmentRow {
  /**
   * @param {number} number
   * @param {number} count of all segments
   * @param {Segment} segment
   * @param {Voice | null} voice
   * @param {boolean} startsTurn whether the segment before has another voice
   */
  constructor(number, count, segment, voice, startsTurn) {
    this.segment = segment;
    this.voice = voice;
    this.element = document.createElement("article");
    this.element.className = `segment ${voice ? voice.className : "voice-0"}`;
    this.element.classList.toggle("turn", startsTurn);
    this.element.dataset.segment = String(number);
    this.element.setAttribute("aria-posinset", String(number + 1));
    this.element.setAttribute("aria-setsize", String(count));
    this.text = this.#textElement(number);
    /** @type {(HTMLAnchorElement | HTMLButtonElement)[]} */
    this.controls = [];
    this.#addTime(number);
    this.#addName(number);
    this.element.append(this.text);
    this.#addFlags(number);
    this.setCurrent(false);
    this.#describe();
  }

  /** @param {boolean} isCurrent whether the Tab key reaches this row and its links */
  setCurrent(isCurrent) {
    this.element.tabIndex = isCurrent ? 0 : -1;
    for (const control of this.controls) control.tabIndex = isCurrent ? 0 : -1;
  }

  /** @param {boolean} isSpoken @param {number} word that is spoken; -1 for none */
  light(isSpoken, word) {
    this.element.classList.toggle("spoken", isSpoken);
    if (isSpoken) this.element.setAttribute("aria-current", "true");
    else this.element.removeAttribute("aria-current");
    this.lit?.classList.remove("spoken");
    this.lit = word < 0 ? null : this.text.querySelector(`[data-word="${word}"]`);
    this.lit?.classList.add("spoken");
  }

  /** @param {Mark[]} marks */
  mark(marks) {
    this.isMarked = marks.length > 0;
    this.text.replaceChildren(renderText(this.segment, marks));
  }

  /** Show the name that the voice has now. */
  showName() {
    if (this.voice && this.name) this.name.textContent = this.voice.name;
  }

  /** Tell screen readers, which move from row to row, who speaks when, and then what is said. */
  #describe() {
    const ids = (/** @type {(Element | null | undefined)[]} */ parts) => parts.map((part) => part?.id ?? "").join(" ").trim();
    const [name, time, flags] = ["name", "time", "flags"].map((part) => this.element.querySelector(`.${part}`));
    this.element.setAttribute("aria-labelledby", ids([name, time]));
    this.element.setAttribute("aria-describedby", ids([this.text, flags]));
  }

  /** @param {number} number */
  #textElement(number) {
    const text = document.createElement("p");
    text.id = `text-${number}`;
    text.className = "text";
    text.dir = "auto";
    if (this.segment.language) text.lang = this.segment.language;
    text.append(renderText(this.segment, []));
    return text;
  }

  /** @param {number} number */
  #addTime(number) {
    const { start } = this.segment;
    if (start === null) return;
    const time = document.createElement("a");
    time.className = "time";
    time.id = `time-${number}`;
    time.href = timeFragment(start);
    time.textContent = clockTime(start);
    this.controls.push(time);
    this.element.append(time);
  }

  /** @param {number} number */
  #addName(number) {
    if (!this.voice) return;
    this.name = document.createElement("button");
    this.name.type = "button";
    this.name.className = "name";
    this.name.id = `name-${number}`;
    this.name.title = "Rename";
    this.name.dir = "auto";
    this.showName();
    this.controls.push(this.name);
    this.element.append(this.name);
  }

  /** @param {number} number */
  #addFlags(number) {
    if (!this.segment.flags.length) return;
    const flags = document.createElement("ul");
    flags.id = `flags-${number}`;
    flags.className = "flags";
    for (const flag of this.segment.flags) {
      const item = document.createElement("li");
      item.textContent = FLAGS[flag] ?? `Doubtful: ${flag}.`;
      flags.append(item);
    }
    this.element.append(flags);
  }
}
