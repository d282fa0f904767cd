/** Where words are in the text of their segment. */

/** @typedef {import("./transcript.js").Word} Word */

/** How many characters between two words may belong to neither. */
const MAX_GAP = 20;

/**
 * @param {string} text
 * @param {Word[]} words in the order of the text
 * @returns {{word: number, start: number, end: number}[]} without words that are not in the text
 */
export function findWords(text, words) {
  const found = [];
  let position = 0;
  for (let word = 0; word < words.length; word++) {
    const written = words[word][0].trim();
    const start = written ? text.indexOf(written, position) : -1;
    if (start < 0 || start - position > MAX_GAP) continue;
    position = start + written.length;
    found.push({ word, start, end: position });
  }
  return found;
}
