/** The voices of a transcript: its speakers or, without speakers, its channels. Each has a color and a name. */

/** @typedef {import("./transcript.js").Transcript} Transcript */
/** @typedef {import("./transcript.js").Segment} Segment */

const COLORS = 8;

/**
 * @typedef {object} Voice
 * @property {string} label as the transcript names it: `Speaker 1`
 * @property {string} name given by the user, otherwise the label
 * @property {number | null} channel
 * @property {string} className of its color and its mark
 * @property {number} seconds of speech
 */

export class Voices {
  /** @param {Transcript} transcript */
  constructor(transcript) {
    /** @type {Map<string, Voice>} */
    this.byLabel = new Map();
    for (const { label, name, channel } of transcript.speakers) this.#add(label, name, channel);
    for (const segment of transcript.segments) {
      const label = labelOf(segment);
      if (label === null) continue;
      const voice = this.byLabel.get(label) ?? this.#add(label, null, segment.channel);
      voice.seconds += Math.max(0, (segment.end ?? 0) - (segment.start ?? 0));
    }
    this.totalSec = this.all.reduce((sum, { seconds }) => sum + seconds, 0);
    /** Called after a voice got another name. @param {Voice} voice */
    this.onRename = (voice) => {};
  }

  /** @returns {Voice[]} */
  get all() {
    return [...this.byLabel.values()];
  }

  /**
   * @param {Segment} segment
   * @returns {Voice | null}
   */
  of(segment) {
    return this.byLabel.get(labelOf(segment) ?? "") ?? null;
  }

  /**
   * @param {number} channel
   * @returns {Voice[]} the voices that are only on this channel
   */
  onChannel(channel) {
    return this.all.filter((voice) => voice.channel === channel);
  }

  /**
   * @param {Voice} voice
   * @param {string} name an empty one restores the label
   */
  rename(voice, name) {
    voice.name = name || voice.label;
    this.onRename(voice);
  }

  /**
   * @param {string} label
   * @param {string | null} name
   * @param {number | null} channel
   * @returns {Voice}
   */
  #add(label, name, channel) {
    const className = `voice-${(this.byLabel.size % COLORS) + 1}`;
    const voice = { label, name: name || label, channel: channel ?? null, className, seconds: 0 };
    this.byLabel.set(label, voice);
    return voice;
  }
}

/**
 * @param {Segment} segment
 * @returns {string | null}
 */
function labelOf({ speaker, channel }) {
  if (speaker) return speaker;
  return channel === null || channel === undefined ? null : `Channel ${channel + 1}`;
}
