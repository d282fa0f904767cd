/** The search field of the reader: matches are counted, marked in the visible text, and visited in turn. */

import { TranscriptFind } from "./transcript_find.js";

/** @typedef {import("./transcript.js").Transcript} Transcript */
/** @typedef {import("./virtual_list.js").VirtualList<import("./segment_row.js").SegmentRow>} VirtualList */
/** @typedef {import("./segment_row.js").SegmentRow} SegmentRow */
/** @typedef {import("./transcript_find.js").Match} Match */

/** Where a match is shown, as a share of the visible height. */
const TARGET = 0.3;

export class FindBar {
  /**
   * @param {HTMLFormElement} form with an input, an output and the buttons `previous` and `next`
   * @param {Transcript} transcript
   * @param {VirtualList} list
   */
  constructor(form, transcript, list) {
    this.list = list;
    this.search = new TranscriptFind(transcript);
    this.input = /** @type {HTMLInputElement} */ (form.querySelector("input"));
    this.output = /** @type {HTMLOutputElement} */ (form.querySelector("output"));
    this.buttons = /** @type {HTMLButtonElement[]} */ ([...form.querySelectorAll("button")]);
    /** @type {Match[]} */
    this.matches = [];
    this.current = -1;
    /** Called after the text of a row was written again. @param {SegmentRow} row @param {number} number */
    this.onMark = (row, number) => {};
    this.input.addEventListener("input", () => this.find());
    form.addEventListener("submit", (event) => event.preventDefault());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.step(button.value === "previous" ? -1 : 1));
    }
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  clear() {
    this.input.value = "";
    this.find();
  }

  /** @param {string} query @param {number | null} segment that the page shows already; it has the first match */
  start(query, segment) {
    this.input.value = query;
    if (segment === null) this.find();
    else this.#search(segment);
  }

  /** Search for the content of the field and show the first match from the visible part on. */
  find() {
    this.#search(this.list.firstVisible());
    this.#goToCurrent();
  }

  /** @param {number} from the segment to look for the first match */
  #search(from) {
    this.matches = this.search.find(this.input.value);
    const next = this.matches.findIndex(({ segment }) => segment >= from);
    this.current = this.matches.length ? Math.max(0, next) : -1;
    this.#showMarks();
  }

  /** @param {number} direction 1 for the next match, -1 for the previous one */
  step(direction) {
    if (!this.matches.length) return;
    this.current = (this.current + direction + this.matches.length) % this.matches.length;
    this.#showMarks();
    this.#goToCurrent();
  }

  /** @param {SegmentRow} row that is new @param {number} number */
  mark(row, number) {
    if (this.matches.length) this.#mark(row, number);
  }

  #goToCurrent() {
    const match = this.matches[this.current];
    if (!match) return;
    this.list.onUserScroll();
    this.list.scrollTo(match.segment, (window.innerHeight - this.list.coveredPx()) * TARGET);
  }

  #showMarks() {
    for (const [number, row] of this.list.rows) this.#mark(row, number);
    const count = this.matches.length;
    this.output.textContent = count ? `${this.current + 1} of ${count}` : this.input.value.trim() ? "No match" : "";
    for (const button of this.buttons) button.disabled = !count;
  }

  /** @param {SegmentRow} row @param {number} number */
  #mark(row, number) {
    const first = this.#firstIn(number);
    const marks = [];
    for (let index = first; this.matches[index]?.segment === number; index++) {
      marks.push({ ...this.matches[index], isCurrent: index === this.current });
    }
    if (!marks.length && !row.isMarked) return;
    row.mark(marks);
    this.onMark(row, number);
  }

  /**
   * @param {number} segment
   * @returns {number} the first match in this segment or after it
   */
  #firstIn(segment) {
    let low = 0;
    let high = this.matches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.matches[middle].segment < segment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      this.clear();
      this.input.blur();
    }
  }
}
