/** What a reader should know before reading: the model, the languages, the warnings, and whether the recording is the same. */

import { ask } from "./answers.js";
import { clockTime } from "./clock.js";

/** @typedef {import("./transcript.js").Transcript} Transcript */

const languageNames = new Intl.DisplayNames(["en"], { type: "language" });

/** @param {HTMLElement} element @param {Transcript} transcript */
export function showFacts(element, { model, languages, durationSec }) {
  const facts = [clockTime(durationSec), model, ...languages.map(nameLanguage)];
  element.textContent = facts.filter(Boolean).join(" · ");
}

/**
 * Add warnings that the page does not show yet.
 *
 * @param {HTMLElement} element
 * @param {string[]} warnings
 */
export function showWarnings(element, warnings) {
  const shown = new Set([...element.children].map(({ textContent }) => textContent));
  for (const warning of warnings) {
    if (shown.has(warning)) continue;
    const note = document.createElement("p");
    note.className = "notice warn";
    note.textContent = warning;
    element.append(note);
  }
}

/**
 * Warn if the recording is not the one that was transcribed. If it cannot be read, the player says so.
 *
 * @param {HTMLElement} element for warnings
 * @param {string} url of the recording
 * @param {string | null} version of the one that was transcribed
 */
export async function compareVersions(element, url, version) {
  const answer = await ask(url, { method: "HEAD" }).catch(() => null);
  const current = answer?.headers.get("ETag");
  if (!version || !current || current === version) return;
  showWarnings(element, ["The recording has changed since it was transcribed, so words and times may not match it."]);
}

/** @param {string} tag */
function nameLanguage(tag) {
  try {
    return languageNames.of(tag);
  } catch {
    return tag;
  }
}
