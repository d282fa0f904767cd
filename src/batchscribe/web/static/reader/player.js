/** The recording: what plays it, at which time and speed. */

const MAX_SPEED = 3;

export class Player {
  /**
   * @param {HTMLAudioElement} audio
   * @param {string} url
   * @param {number} durationSec as the transcript says
   */
  constructor(audio, url, durationSec) {
    this.audio = audio;
    this.url = url;
    this.durationSec = durationSec;
    this.frame = 0;
    /** Called with the time in seconds at each frame while the recording plays, and after each jump. @param {number} sec */
    this.onTime = (sec) => {};
    /** Called when the recording starts or stops playing. @param {boolean} isPlaying */
    this.onPlaying = (isPlaying) => {};
    audio.addEventListener("play", () => this.#run());
    audio.addEventListener("pause", () => this.#stop());
    audio.addEventListener("ended", () => this.#stop());
    for (const event of ["seeking", "seeked", "timeupdate"]) {
      audio.addEventListener(event, () => this.onTime(this.time));
    }
    this.load();
  }

  /** Open the recording, also again after an error. */
  load() {
    const time = this.time;
    this.audio.src = this.url;
    this.audio.load();
    if (time) this.audio.currentTime = time;
  }

  get time() {
    return this.audio.currentTime;
  }

  get isPlaying() {
    return !this.audio.paused;
  }

  get speed() {
    return this.audio.playbackRate;
  }

  set speed(speed) {
    this.audio.defaultPlaybackRate = Math.min(speed, MAX_SPEED);
    this.audio.playbackRate = this.audio.defaultPlaybackRate;
  }

  /** @param {number} sec */
  seek(sec) {
    this.audio.currentTime = Math.max(0, Math.min(sec, this.durationSec));
    this.onTime(this.time);
  }

  /** @param {number} sec, negative to go back */
  skip(sec) {
    this.seek(this.time + sec);
  }

  /** @param {number} sec */
  playFrom(sec) {
    this.seek(sec);
    this.play();
  }

  play() {
    // Refused if the recording cannot be played, which the error event reports, or if a pause follows at once.
    this.audio.play().catch(() => this.#stop());
  }

  toggle() {
    if (this.isPlaying) this.audio.pause();
    else this.play();
  }

  #run() {
    cancelAnimationFrame(this.frame);
    this.onPlaying(true);
    const tick = () => {
      this.onTime(this.time);
      this.frame = requestAnimationFrame(tick);
    };
    tick();
  }

  #stop() {
    cancelAnimationFrame(this.frame);
    this.onPlaying(false);
    this.onTime(this.time);
  }
}
