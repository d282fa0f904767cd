/** The text of a segment as elements: its words, and the matches of a search, which may cover several words. */

/** @typedef {import("./transcript.js").Segment} Segment */
/** @typedef {{start: number, end: number, isCurrent: boolean}} Mark */

import { findWords } from "./word_positions.js";

/** The engine was wrong about every second word below this confidence: see docs/engines.md. */
const DOUBTFUL_BELOW = 0.5;

/**
 * @param {Segment} segment
 * @param {Mark[]} marks in order, without overlaps
 * @returns {DocumentFragment}
 */
export function renderText(segment, marks) {
  const { text, words } = segment;
  const fragment = document.createDocumentFragment();
  let position = 0;
  for (const { word, start, end } of findWords(text, words)) {
    fragment.append(...pieces(text, position, start, marks), wordElement(segment, word, start, end, marks));
    position = end;
  }
  fragment.append(...pieces(text, position, text.length, marks));
  return fragment;
}

/**
 * @param {Segment} segment
 * @param {number} word
 * @param {number} start
 * @param {number} end
 * @param {Mark[]} marks
 */
function wordElement({ text, words }, word, start, end, marks) {
  const element = document.createElement("span");
  element.className = "word";
  element.dataset.word = String(word);
  element.append(...pieces(text, start, end, marks));
  const confidence = words[word][3];
  if (confidence !== null && confidence !== undefined && confidence < DOUBTFUL_BELOW) {
    element.classList.add("doubtful");
    element.title = `Confidence: ${Math.round(confidence * 100)} %`;
  }
  return element;
}

/**
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @param {Mark[]} marks
 * @returns {(string | HTMLElement)[]} this part of the text, divided at the marks
 */
function pieces(text, start, end, marks) {
  const made = [];
  let position = start;
  for (const mark of marks) {
    const from = Math.max(mark.start, position);
    const to = Math.min(mark.end, end);
    if (from >= to) continue;
    if (from > position) made.push(text.slice(position, from));
    const element = document.createElement("mark");
    element.textContent = text.slice(from, to);
    if (mark.isCurrent) element.className = "current";
    made.push(element);
    position = to;
  }
  if (position < end) made.push(text.slice(position, end));
  return made;
}
