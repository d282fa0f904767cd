/** Copies selected text with the names of speakers, including segments that are not elements at the moment. */

import { segmentOf } from "./segment_cursor.js";

/** @typedef {import("./transcript.js").Transcript} Transcript */
/** @typedef {import("./voices.js").Voices} Voices */

/**
 * @param {HTMLElement} root of the list
 * @returns {number[]} the segments where the selection begins and ends; they must stay elements
 */
export function selectedEnds(root) {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed) return [];
  const ends = [selection.anchorNode, selection.focusNode].filter((node) => node && root.contains(node));
  return ends.map(segmentOf).filter((segment) => segment >= 0);
}

/**
 * @param {HTMLElement} root of the list
 * @param {Transcript} transcript
 * @param {Voices} voices
 */
export function copyWholeSegments(root, transcript, voices) {
  document.addEventListener("copy", (event) => {
    const selection = document.getSelection();
    if (!selection?.rangeCount || !event.clipboardData || isField(event.target)) return;
    const text = selectedText(selection.getRangeAt(0), root, transcript, voices);
    if (text === null) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  });
}

/**
 * @param {Range} range
 * @param {HTMLElement} root
 * @param {Transcript} transcript
 * @param {Voices} voices
 * @returns {string | null} null if the selection is within one segment, or outside the list
 */
function selectedText(range, root, transcript, voices) {
  if (!range.intersectsNode(root) || !transcript.segments.length) return null;
  const from = segmentOf(range.startContainer);
  const to = segmentOf(range.endContainer);
  if (from >= 0 && from === to) return null;
  const first = Math.max(0, from);
  const last = to < 0 ? transcript.segments.length - 1 : to;
  const lines = [];
  for (let number = first; number <= last; number++) {
    const segment = transcript.segments[number];
    const text = partOf(number, number === from, number === to, range, root) ?? segment.text;
    const voice = voices.of(segment);
    if (text) lines.push(voice ? `${voice.name}: ${text}` : text);
  }
  return lines.join("\n");
}

/**
 * @param {number} number
 * @param {boolean} isFirst whether the selection begins in this segment
 * @param {boolean} isLast
 * @param {Range} range
 * @param {HTMLElement} root
 * @returns {string | null} what is selected of the text; null for all of it
 */
function partOf(number, isFirst, isLast, range, root) {
  const text = isFirst || isLast ? root.querySelector(`[data-segment="${number}"] .text`) : null;
  if (!text) return null;
  const part = document.createRange();
  part.selectNodeContents(text);
  if (isFirst && text.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
  if (isLast) {
    if (text.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
    else if (range.comparePoint(text, 0) > 0) return "";
  }
  return part.toString();
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
