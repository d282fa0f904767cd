/** The segment that the keyboard is on. Only this one takes part in the order of the Tab key. */

/** @typedef {import("./virtual_list.js").VirtualList<import("./segment_row.js").SegmentRow>} VirtualList */

export class SegmentCursor {
  /** @param {VirtualList} list */
  constructor(list) {
    this.list = list;
    this.segment = 0;
    list.root.addEventListener("focusin", (event) => this.#moveTo(segmentOf(event.target)));
    list.rows.get(0)?.setCurrent(true);
  }

  /** @param {number} segment that gets the focus, and is scrolled into view if necessary */
  focus(segment) {
    const isVisible = this.list.rows.has(segment) && this.#isInView(segment);
    if (!isVisible) this.list.scrollTo(segment, (window.innerHeight - this.list.coveredPx()) * 0.3);
    this.#moveTo(segment);
    this.list.rows.get(segment)?.element.focus({ preventScroll: true });
  }

  /** @returns {boolean} whether the focus is in the list */
  get hasFocus() {
    return this.list.root.contains(document.activeElement);
  }

  /** @param {number} segment */
  #isInView(segment) {
    const distance = this.list.distance(segment);
    const height = this.list.heights.heights[segment];
    return distance >= 0 && distance + height <= window.innerHeight - this.list.coveredPx();
  }

  /** @param {number} segment */
  #moveTo(segment) {
    if (segment < 0 || segment === this.segment) return;
    this.list.rows.get(this.segment)?.setCurrent(false);
    this.segment = segment;
    this.list.rows.get(segment)?.setCurrent(true);
  }
}

/**
 * @param {EventTarget | Node | null} target
 * @returns {number} the segment that contains it; -1 if it is outside
 */
export function segmentOf(target) {
  const element = target instanceof Element ? target : target instanceof Node ? target.parentElement : null;
  const row = element?.closest("[data-segment]");
  return row instanceof HTMLElement ? Number(row.dataset.segment) : -1;
}
