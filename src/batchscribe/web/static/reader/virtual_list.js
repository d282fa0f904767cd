/** A list in which only the visible rows, and some around them, are elements. It scrolls with the page. */

import { RowHeights } from "./row_heights.js";

const MARGIN_PX = 500;
const IDLE_MS = 150;
/** Rows that turn out smaller than estimated leave room for more rows. */
const MAX_PASSES = 4;

/**
 * @typedef {object} Row
 * @property {HTMLElement} element
 */

/** @template {Row} R */
export class VirtualList {
  /**
   * @param {HTMLElement} root
   * @param {object} parts
   * @param {number} parts.count
   * @param {() => (row: number) => number} parts.estimate a function for the present width: the height of a row in pixels
   * @param {(row: number) => R} parts.create
   * @param {() => Iterable<number>} parts.kept rows that stay elements while they are invisible, as those with the focus
   * @param {() => number} parts.coveredPx the height at the top of the window that something else covers
   */
  constructor(root, { count, estimate, create, kept, coveredPx }) {
    this.root = root;
    this.count = count;
    this.estimate = estimate;
    this.create = create;
    this.kept = kept;
    this.coveredPx = coveredPx;
    this.heights = new RowHeights(count, estimate());
    /** @type {Map<number, R>} */
    this.rows = new Map();
    /**
     * How far rows are from their offsets. Measured heights change the offsets of rows below, but no visible row may
     * move, and the scroll position cannot change during a scroll without a stutter.
     */
    this.shift = 0;
    this.width = root.clientWidth;
    this.expectedScroll = window.scrollY;
    /** Called after a scroll that this list did not cause. */
    this.onUserScroll = () => {};
    /** Called with each row that became an element. @param {R} row @param {number} number */
    this.onCreate = (row, number) => {};
    window.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(root);
    this.update();
  }

  /** @returns {number} the first row of which the user sees something */
  firstVisible() {
    return this.heights.rowAt(this.#listTop() + this.coveredPx() + 1);
  }

  /**
   * @param {number} row
   * @returns {number} pixels from the top of what the user sees of the list to the top of the row; negative above it
   */
  distance(row) {
    return this.heights.offset(row) - this.#listTop() - this.coveredPx();
  }

  /** @param {number} pixels */
  scrollBy(pixels) {
    window.scrollBy({ top: pixels, behavior: "instant" });
    this.update();
  }

  /**
   * @param {number} row
   * @param {number} pixels between the top of what the user sees of the list and the row
   */
  scrollTo(row, pixels) {
    this.settle();
    window.scrollBy({ top: this.distance(row) - pixels, behavior: "instant" });
    this.update(row);
    this.settle();
  }

  /** Create, measure and place the rows around the visible ones. @param {number} anchor a row that does not move */
  update(anchor = this.firstVisible()) {
    if (!this.count) return;
    const anchorTop = this.heights.offset(anchor) + this.shift;
    let range = [0, 0];
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      range = this.#range();
      const created = this.#fill(range);
      if (!created.length) break;
      for (const row of created) this.heights.set(row, this.#measure(row));
      this.shift = anchorTop - this.heights.offset(anchor);
    }
    this.#place();
    if (range[0] === 0 || range[1] === this.count - 1) this.settle();
    this.expectedScroll = window.scrollY;
  }

  /** Measure all rows again, because their content has changed. */
  remeasure() {
    if (!this.count) return;
    const anchor = this.firstVisible();
    const anchorTop = this.heights.offset(anchor) + this.shift;
    for (const row of this.rows.keys()) this.heights.set(row, this.#measure(row));
    this.shift = anchorTop - this.heights.offset(anchor);
    this.update(anchor);
    this.settle();
  }

  /** Move the rows to their offsets, and the scroll position with them, so that nothing moves on the screen. */
  settle() {
    if (!this.shift) return;
    const shift = this.shift;
    this.shift = 0;
    this.#place();
    window.scrollBy({ top: -shift, behavior: "instant" });
    this.expectedScroll = window.scrollY;
  }

  /** @returns {number} the pixels of the list above the window, without the shift */
  #listTop() {
    return -this.root.getBoundingClientRect().top - this.shift;
  }

  /** @returns {[number, number]} the first and the last row to create */
  #range() {
    const top = this.#listTop();
    return [this.heights.rowAt(top - MARGIN_PX), this.heights.rowAt(top + window.innerHeight + MARGIN_PX)];
  }

  /**
   * @param {number[]} range
   * @returns {number[]} the rows that were created
   */
  #fill([first, last]) {
    const wanted = new Set(this.kept());
    for (let row = first; row <= last; row++) wanted.add(row);
    for (const [row, { element }] of this.rows) {
      if (wanted.has(row)) continue;
      element.remove();
      this.rows.delete(row);
    }
    const created = [];
    let next = this.root.firstElementChild;
    for (const row of [...wanted].sort((one, other) => one - other)) {
      const present = this.rows.get(row);
      if (present) {
        next = present.element.nextElementSibling;
        continue;
      }
      const made = this.create(row);
      this.rows.set(row, made);
      this.root.insertBefore(made.element, next);
      created.push(row);
    }
    for (const row of created) this.onCreate(/** @type {R} */ (this.rows.get(row)), row);
    return created;
  }

  /** @param {number} row */
  #measure(row) {
    return /** @type {R} */ (this.rows.get(row)).element.getBoundingClientRect().height;
  }

  #place() {
    for (const [row, { element }] of this.rows) element.style.top = `${this.heights.offset(row) + this.shift}px`;
    this.root.style.height = `${this.heights.total}px`;
  }

  #scrolled() {
    if (Math.abs(window.scrollY - this.expectedScroll) > 1) this.onUserScroll();
    this.update();
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => this.settle(), IDLE_MS);
  }

  #resized() {
    if (this.root.clientWidth === this.width) return;
    this.width = this.root.clientWidth;
    const first = this.firstVisible();
    const distance = this.distance(first);
    this.heights.estimateAll(this.estimate());
    this.shift = 0;
    for (const row of this.rows.keys()) this.heights.set(row, this.#measure(row));
    this.scrollTo(first, distance);
  }
}
