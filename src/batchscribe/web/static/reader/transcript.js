/** A transcript: its segments, and what is said at a given time. */

/**
 * A word with its start and end in seconds, and the engine's confidence from 0 to 1.
 * @typedef {[text: string, start: number | null, end: number | null, confidence: number | null]} Word
 */

/**
 * @typedef {object} Segment
 * @property {number | null} start in seconds; null if the transcript has no times
 * @property {number | null} end
 * @property {number | null} channel
 * @property {string | null} speaker
 * @property {string} text
 * @property {string[]} flags
 * @property {string | null} language
 * @property {Word[]} words
 */

/**
 * @typedef {object} Speaker
 * @property {string} label as the transcript names the speaker: `Speaker 1`
 * @property {string | null} name that a user gave
 * @property {number | null} channel
 */

/**
 * @typedef {object} TranscriptAnswer of the server
 * @property {number} duration_sec
 * @property {string} model
 * @property {string[]} languages
 * @property {string[]} warnings
 * @property {Speaker[]} speakers
 * @property {Segment[]} segments
 * @property {"transcript" | "database"} source
 * @property {string | null} recording_version
 */

/** How long a word stays lit after its end if no other word of its channel follows, in seconds. */
const LINGER_SEC = 0.4;

export class Transcript {
  /** @param {TranscriptAnswer} document */
  constructor(document) {
    this.durationSec = document.duration_sec;
    this.model = document.model;
    /** Whether it is only the text that is stored for search, because the stored transcript cannot be read. */
    this.isPartial = document.source === "database";
    this.recordingVersion = document.recording_version;
    this.segments = document.segments;
    this.speakers = document.speakers;
    this.warnings = document.warnings;
    this.languages = document.languages;
    this.starts = Float64Array.from(this.segments, (segment) => segment.start ?? Infinity);
    /** The latest end of each segment and all before it, because segments of two channels overlap. */
    this.latestEnds = new Float64Array(this.segments.length);
    let latest = -Infinity;
    this.segments.forEach((segment, number) => {
      latest = Math.max(latest, segment.end ?? -Infinity);
      this.latestEnds[number] = latest;
    });
  }

  /**
   * @param {number} sec
   * @returns {number} the last segment that has started; -1 before the first
   */
  lastStarted(sec) {
    return countStarted(this.starts.length, (number) => this.starts[number], sec) - 1;
  }

  /**
   * @param {number} sec
   * @returns {number[]} the segments that are spoken at this time, in order
   */
  spokenAt(sec) {
    const found = [];
    /** The start of the latest segment of each channel. */
    const latest = new Map();
    for (let number = this.lastStarted(sec); number >= 0 && this.latestEnds[number] + LINGER_SEC > sec; number--) {
      const { end, channel } = this.segments[number];
      if (!latest.has(channel)) latest.set(channel, this.starts[number]);
      const lingerSec = latest.get(channel) > this.starts[number] ? 0 : LINGER_SEC;
      if (/** @type {number} */ (end) + lingerSec > sec) found.unshift(number);
    }
    return found;
  }

  /**
   * @param {number} number of a segment
   * @param {number} sec
   * @returns {number} the word of the segment that is spoken at this time; -1 if there is none
   */
  wordAt(number, sec) {
    const { words } = this.segments[number];
    const word = countStarted(words.length, (index) => words[index][1] ?? Infinity, sec) - 1;
    return word >= 0 && (words[word][2] ?? 0) + LINGER_SEC > sec ? word : -1;
  }

  /**
   * @param {number} sec
   * @returns {number} the segment for this time: the one that is spoken, otherwise the next
   */
  nearest(sec) {
    const spoken = this.spokenAt(sec);
    const found = spoken.length ? spoken[spoken.length - 1] : this.lastStarted(sec) + 1;
    return Math.max(0, Math.min(found, this.segments.length - 1));
  }
}

/**
 * @param {number} count
 * @param {(index: number) => number} startOf an item; starts never decrease
 * @param {number} sec
 * @returns {number} how many items have started at this time
 */
function countStarted(count, startOf, sec) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(middle) <= sec) low = middle + 1;
    else high = middle;
  }
  return low;
}
