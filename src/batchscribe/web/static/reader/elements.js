/** The elements of the page that scripts work with. */

/**
 * @template {HTMLElement} E
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => E} kind
 * @returns {E} the first element that matches; the page always has one
 */
export function requireElement(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`The page has no ${selector}.`);
  return found;
}
