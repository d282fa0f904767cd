/** Times as people read and write them: 1:02:03.4. */

/**
 * @param {number} sec
 * @returns {string} `m:ss`, from an hour on `h:mm:ss`
 */
export function clockTime(sec) {
  const whole = Math.max(0, Math.floor(sec));
  const seconds = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/**
 * @param {number} sec
 * @returns {string} the fragment of a link to this moment, rounded down so that the word at this moment is not missed
 */
export function timeFragment(sec) {
  return `#t=${Math.floor(sec * 1000) / 1000}`;
}

/**
 * @param {string} fragment of an address, such as `#t=12.3`
 * @returns {number | null} seconds; null if it is not a time
 */
export function fragmentTime(fragment) {
  const match = /^#t=(\d+(?:\.\d+)?)$/.exec(fragment);
  return match ? Number(match[1]) : null;
}
