/** Lights the segments and words that are spoken now. It touches only rows that are elements. */

/** @typedef {import("./transcript.js").Transcript} Transcript */
/** @typedef {import("./segment_row.js").SegmentRow} SegmentRow */

export class SpokenWords {
  /**
   * @param {Transcript} transcript
   * @param {Map<number, SegmentRow>} rows
   */
  constructor(transcript, rows) {
    this.transcript = transcript;
    this.rows = rows;
    /** The lit segments with their lit words. @type {Map<number, number>} */
    this.lit = new Map();
  }

  /** @param {number} sec */
  show(sec) {
    const lit = new Map();
    for (const number of this.transcript.spokenAt(sec)) lit.set(number, this.transcript.wordAt(number, sec));
    for (const number of this.lit.keys()) {
      if (!lit.has(number)) this.rows.get(number)?.light(false, -1);
    }
    for (const [number, word] of lit) {
      if (this.lit.get(number) !== word) this.rows.get(number)?.light(true, word);
    }
    this.lit = lit;
  }

  /** Light what is spoken in a row that is new or was written again. @param {SegmentRow} row @param {number} number */
  relight(row, number) {
    const word = this.lit.get(number);
    if (word !== undefined) row.light(true, word);
  }

  /** @returns {number} the last of the lit segments; -1 if there is none */
  get last() {
    return Math.max(-1, ...this.lit.keys());
  }
}
