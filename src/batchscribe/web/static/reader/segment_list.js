/** The list of all segments of a transcript. */

import { selectedEnds } from "./copying.js";
import { estimateHeights } from "./row_estimate.js";
import { segmentOf } from "./segment_cursor.js";
import { SegmentRow } from "./segment_row.js";
import { VirtualList } from "./virtual_list.js";

/** @typedef {import("./transcript.js").Transcript} Transcript */
/** @typedef {import("./voices.js").Voices} Voices */

/**
 * @param {HTMLElement} root
 * @param {HTMLElement} cover what stays at the top of the window, above the list
 * @param {Transcript} transcript
 * @param {Voices} voices
 * @returns {VirtualList<SegmentRow>}
 */
export function createSegmentList(root, cover, { segments }, voices) {
  const count = segments.length;
  /** @param {number} number */
  const startsTurn = (number) => number === 0 || voices.of(segments[number]) !== voices.of(segments[number - 1]);
  /** @param {number} number @param {boolean} isTurn */
  const create = (number, isTurn) => new SegmentRow(number, count, segments[number], voices.of(segments[number]), isTurn);
  root.hidden = !count;
  root.classList.toggle("voiced", voices.all.length > 0);
  // What gets the focus, or is searched for by the browser, is not below the cover.
  new ResizeObserver(() => {
    document.documentElement.style.scrollPaddingTop = `${cover.offsetHeight}px`;
  }).observe(cover);
  return new VirtualList(root, {
    count,
    estimate: () => estimateHeights(root, segments, (isTurn) => create(0, isTurn), startsTurn),
    create: (number) => create(number, startsTurn(number)),
    kept: () => [segmentOf(document.activeElement), ...selectedEnds(root)].filter((number) => number >= 0),
    coveredPx: () => Math.max(0, cover.getBoundingClientRect().bottom),
  });
}
