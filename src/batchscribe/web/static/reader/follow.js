/** Keeps what is spoken in view until the user scrolls; a button turns it on again. */

/** @typedef {import("./virtual_list.js").VirtualList<any>} VirtualList */

/** Where the spoken segment may be, as shares of the visible height, and where it is moved to. */
const HIGHEST = 0.08;
const LOWEST = 0.55;
const TARGET = 0.25;
/** The share of the way that one frame covers. */
const GLIDE = 0.2;
/** Longer ways, in visible heights, are jumps. */
const LONGEST_GLIDE = 1;

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Follow {
  /**
   * @param {VirtualList} list
   * @param {HTMLButtonElement} button
   */
  constructor(list, button) {
    this.list = list;
    this.button = button;
    this.isOn = true;
    this.segment = -1;
    this.frame = 0;
    list.onUserScroll = () => this.turnOff();
    button.addEventListener("click", () => this.turnOn());
  }

  turnOn() {
    this.isOn = true;
    this.button.hidden = true;
    if (this.segment >= 0) this.#bring(this.segment, true);
  }

  /** Follow from this segment on. It does not move, because the user has just chosen it. @param {number} segment */
  startAt(segment) {
    this.isOn = true;
    this.button.hidden = true;
    this.segment = segment;
  }

  turnOff() {
    cancelAnimationFrame(this.frame);
    if (this.segment < 0) return;
    this.isOn = false;
    this.button.hidden = false;
  }

  /** @param {number} segment that is spoken now */
  to(segment) {
    if (segment < 0 || segment === this.segment) return;
    this.segment = segment;
    if (this.isOn) this.#bring(segment, false);
  }

  get #visiblePx() {
    return window.innerHeight - this.list.coveredPx();
  }

  /** @param {number} segment @param {boolean} always move, even if the segment is in view */
  #bring(segment, always) {
    const visible = this.#visiblePx;
    const distance = this.list.distance(segment);
    if (!always && distance >= visible * HIGHEST && distance <= visible * LOWEST) return;
    cancelAnimationFrame(this.frame);
    const isFar = Math.abs(distance - visible * TARGET) > visible * LONGEST_GLIDE;
    if (isFar || calm.matches) this.list.scrollTo(segment, visible * TARGET);
    else this.#glide(segment);
  }

  /** @param {number} segment */
  #glide(segment) {
    const gap = this.list.distance(segment) - this.#visiblePx * TARGET;
    const before = window.scrollY;
    const step = Math.abs(gap) < 5 ? gap : gap * GLIDE;
    this.list.scrollBy(step);
    if (Math.abs(gap) < 5 || window.scrollY === before) return;
    this.frame = requestAnimationFrame(() => this.#glide(segment));
  }
}
