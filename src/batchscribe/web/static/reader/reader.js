/** The reader: connects the transcript, its list and the player. */

import { fragmentTime } from "./clock.js";
import { copyWholeSegments } from "./copying.js";
import { requireElement } from "./elements.js";
import { FindBar } from "./find_bar.js";
import { Follow } from "./follow.js";
import { Player } from "./player.js";
import { PlayerBar } from "./player_bar.js";
import { RecordingTrouble } from "./recording_trouble.js";
import { SegmentCursor, segmentOf } from "./segment_cursor.js";
import { createSegmentList } from "./segment_list.js";
import { SpeakerNames } from "./speaker_names.js";
import { SpokenWords } from "./spoken_words.js";
import { Voices } from "./voices.js";

/** @typedef {import("./transcript.js").Transcript} Transcript */
/** @typedef {(audio: HTMLAudioElement, durationSec: number, voices: Voices) => void} DrawWaveform */

/** Where a linked segment is shown, as a share of the visible height. */
const TARGET = 0.25;

export class Reader {
  /**
   * @param {HTMLElement} root
   * @param {Transcript} transcript
   * @param {DrawWaveform | null} drawWaveform
   */
  constructor(root, transcript, drawWaveform) {
    const urls = root.dataset;
    this.transcript = transcript;
    this.voices = new Voices(transcript);
    const segments = requireElement(root, "[data-part=segments]", HTMLElement);
    const bar = requireElement(root, "[data-part=player]", HTMLElement);
    this.player = new Player(requireElement(root, "audio", HTMLAudioElement), urls.audio ?? "", transcript.durationSec);
    this.bar = new PlayerBar(bar, this.player);
    drawWaveform?.(this.player.audio, transcript.durationSec, this.voices);
    bar.classList.toggle("has-waveform", drawWaveform !== null);
    this.list = createSegmentList(segments, bar, transcript, this.voices);
    this.cursor = new SegmentCursor(this.list);
    this.spoken = new SpokenWords(transcript, this.list.rows);
    this.follow = new Follow(this.list, requireElement(root, "[data-action=follow]", HTMLButtonElement));
    this.find = new FindBar(requireElement(root, "[data-part=find]", HTMLFormElement), transcript, this.list);
    this.names = new SpeakerNames(
      requireElement(root, "[data-part=speakers]", HTMLElement),
      requireElement(root, "[data-part=name-dialog]", HTMLDialogElement),
      this.voices,
      urls.speakers ?? "",
    );
    this.linked = -1;
    this.#connectParts();
    this.#connectEvents(segments);
    this.#explainTrouble(requireElement(root, "[data-part=trouble]", HTMLElement), bar, urls.file ?? "");
    copyWholeSegments(segments, transcript, this.voices);
    this.openLink();
  }

  /** Go to the time in the address, and search for what the address names. */
  openLink() {
    const sec = fragmentTime(location.hash);
    if (sec !== null && this.transcript.segments.length) {
      this.player.seek(sec);
      const segment = this.transcript.nearest(sec);
      this.list.scrollTo(segment, (window.innerHeight - this.list.coveredPx()) * TARGET);
      this.link(segment);
    }
    const query = new URLSearchParams(location.search).get("q");
    if (query && !this.find.input.value) this.find.start(query, sec === null ? null : this.linked);
  }

  /** @param {number} segment that gets the mark of the linked one */
  link(segment) {
    this.list.rows.get(this.linked)?.element.classList.remove("linked");
    this.linked = segment;
    this.list.rows.get(segment)?.element.classList.add("linked");
  }

  /** @param {number} sec */
  showTime(sec) {
    this.bar.showTime(sec);
    this.spoken.show(sec);
    this.follow.to(this.spoken.last);
  }

  /** @param {number} sec @param {number} segment that the user has chosen */
  playFrom(sec, segment) {
    this.follow.startAt(segment);
    this.player.playFrom(sec);
  }

  /** @param {number} direction 1 for the next segment, -1 for the previous one */
  step(direction) {
    const here = this.cursor.hasFocus ? this.cursor.segment : this.transcript.nearest(this.player.time);
    const segment = Math.max(0, Math.min(here + direction, this.transcript.segments.length - 1));
    this.cursor.focus(segment);
    const start = this.transcript.segments[segment]?.start;
    if (start !== null && start !== undefined) this.player.seek(start);
  }

  #connectParts() {
    this.player.onTime = (sec) => this.showTime(sec);
    this.player.onPlaying = (isPlaying) => this.bar.showPlaying(isPlaying);
    this.list.onCreate = (row, number) => {
      row.setCurrent(number === this.cursor.segment);
      row.element.classList.toggle("linked", number === this.linked);
      this.find.mark(row, number);
      this.spoken.relight(row, number);
    };
    this.find.onMark = (row, number) => this.spoken.relight(row, number);
    this.voices.onRename = () => {
      for (const row of this.list.rows.values()) row.showName();
      this.list.remeasure();
    };
  }

  /** @param {HTMLElement} segments */
  #connectEvents(segments) {
    segments.addEventListener("click", (event) => this.#click(event));
    segments.addEventListener("keydown", (event) => this.#enter(event));
    window.addEventListener("hashchange", () => this.openLink());
  }

  /** @param {HTMLElement} root @param {HTMLElement} bar @param {string} fileId */
  #explainTrouble(root, bar, fileId) {
    const trouble = new RecordingTrouble(root, this.player, fileId);
    if (this.transcript.isPartial) trouble.onAccess = () => location.reload();
    trouble.onChange = (canPlay) => {
      bar.classList.toggle("unplayable", !canPlay);
      this.list.update();
    };
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {Element} */ (event.target);
    const number = segmentOf(target);
    if (number < 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const segment = this.transcript.segments[number];
    const voice = this.voices.of(segment);
    if (target.closest(".name") && voice) return this.names.ask(voice);
    if (segment.start === null) return;
    const time = target.closest("a.time");
    if (time instanceof HTMLAnchorElement) {
      event.preventDefault();
      history.replaceState(null, "", time.hash);
      this.link(number);
      this.playFrom(segment.start, number);
    } else if (target.closest(".text") && document.getSelection()?.isCollapsed !== false) {
      const word = target.closest("[data-word]");
      const start = word instanceof HTMLElement ? segment.words[Number(word.dataset.word)][1] : null;
      this.playFrom(start ?? segment.start, number);
    }
  }

  /** Enter on a segment plays it. @param {KeyboardEvent} event */
  #enter(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key !== "Enter" || target.dataset.segment === undefined) return;
    const number = Number(target.dataset.segment);
    const start = this.transcript.segments[number].start;
    if (start !== null) this.playFrom(start, number);
  }
}
