/** A search in all segments. It ignores case and accents. */

/** @typedef {import("./transcript.js").Transcript} Transcript */
/** @typedef {{segment: number, start: number, end: number}} Match */

const IDLE_SHARE_MS = 5;
/** Not the marks of other scripts, which make another letter. */
const ACCENTS = /[\u0300-\u036f]/g;

export class TranscriptFind {
  /** @param {Transcript} transcript */
  constructor(transcript) {
    this.segments = transcript.segments;
    /** @type {string[]} */
    this.folded = new Array(this.segments.length);
    this.#foldWhenIdle(0);
  }

  /**
   * @param {string} query
   * @returns {Match[]} in order, without overlaps; a match does not continue in the next segment
   */
  find(query) {
    const wanted = fold(query.trim().replace(/\s+/g, " "));
    /** @type {Match[]} */
    const matches = [];
    if (!wanted) return matches;
    for (let segment = 0; segment < this.segments.length; segment++) {
      const text = this.#fold(segment);
      for (let start = text.indexOf(wanted); start >= 0; start = text.indexOf(wanted, start + wanted.length)) {
        matches.push({ segment, start, end: start + wanted.length });
      }
    }
    return matches;
  }

  /** @param {number} segment */
  #fold(segment) {
    return (this.folded[segment] ??= fold(this.segments[segment].text));
  }

  /** @param {number} first segment; a search does not wait for the others */
  #foldWhenIdle(first) {
    const ask = window.requestIdleCallback ?? ((run) => setTimeout(run, 50));
    ask(() => {
      const end = performance.now() + IDLE_SHARE_MS;
      let segment = first;
      while (segment < this.segments.length && performance.now() < end) this.#fold(segment++);
      if (segment < this.segments.length) this.#foldWhenIdle(segment);
    });
  }
}

/** @type {Map<string, string>} */
const foldedCharacters = new Map([["\u2019", "'"], ["\u2018", "'"]]);

/**
 * @param {string} text
 * @returns {string} the text in lower case without accents, and with the same number of code units
 */
export function fold(text) {
  return text.replace(/[^\x00-\x7f]/g, foldCharacter).toLowerCase();
}

/** @param {string} character */
function foldCharacter(character) {
  let folded = foldedCharacters.get(character);
  if (folded === undefined) {
    const lower = character.normalize("NFD").replace(ACCENTS, "").toLowerCase();
    folded = lower.length === 1 ? lower : character;
    foldedCharacters.set(character, folded);
  }
  return folded;
}
