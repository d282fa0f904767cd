/** Estimates how high a segment is before it becomes an element, so that the scroll bar is right from the start. */

/** @typedef {import("./segment_row.js").SegmentRow} SegmentRow */
/** @typedef {import("./transcript.js").Segment} Segment */

const SAMPLE_CHARS = 2000;
/** How many characters of a line stay free on average, because words are not broken. */
const FREE_CHARS = 3;

/**
 * @param {HTMLElement} root of the list, as wide as it is now
 * @param {Segment[]} segments
 * @param {(startsTurn: boolean) => SegmentRow} createProbe
 * @param {(segment: number) => boolean} startsTurn
 * @returns {(segment: number) => number} the height of a segment in pixels
 */
export function estimateHeights(root, segments, createProbe, startsTurn) {
  if (!segments.length) return () => 0;
  const plain = measureProbe(root, createProbe(false));
  const turn = measureProbe(root, createProbe(true));
  const charPx = measureCharacter(segments, plain.font);
  const charsPerLine = Math.max(8, plain.widthPx / charPx - FREE_CHARS);
  return (number) => {
    const { text, flags } = segments[number];
    const lines = Math.ceil(Math.max(1, text.length) / charsPerLine) + flags.length;
    return (startsTurn(number) ? turn : plain).aroundPx + lines * plain.linePx;
  };
}

/** @param {HTMLElement} root @param {SegmentRow} row */
function measureProbe(root, { element, text }) {
  element.style.visibility = "hidden";
  element.querySelector(".flags")?.remove();
  root.append(element);
  const style = getComputedStyle(text);
  const textBox = text.getBoundingClientRect();
  const measured = {
    font: style.font,
    linePx: parseFloat(style.lineHeight),
    widthPx: textBox.width,
    aroundPx: element.getBoundingClientRect().height - textBox.height,
  };
  element.remove();
  return measured;
}

/**
 * @param {Segment[]} segments
 * @param {string} font
 * @returns {number} the average width of a character
 */
function measureCharacter(segments, font) {
  let sample = "";
  for (let number = 0; number < segments.length && sample.length < SAMPLE_CHARS; number++) {
    sample += segments[number].text.slice(0, SAMPLE_CHARS);
  }
  const context = document.createElement("canvas").getContext("2d");
  if (!context || !sample) return 8;
  context.font = font;
  return Math.max(1, context.measureText(sample).width / sample.length);
}
