/** Requests to the server, and its errors as sentences. */

export class ServerError extends Error {
  /**
   * @param {string} message
   * @param {import("./access_form.js").AccessField[] | null} access the fields of a form that may solve it
   */
  constructor(message, access = null) {
    super(message);
    this.access = access;
  }
}

/**
 * @param {string} url
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} a successful one
 * @throws {ServerError}
 */
export async function ask(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch {
    throw new ServerError("The server does not answer. Check the connection and try again.");
  }
  if (response.redirected && new URL(response.url).pathname.endsWith("/signin")) throw signedOut();
  if (response.ok) return response;
  if (response.status === 401) throw signedOut();
  const body = await response.json().catch(() => ({}));
  const message = body.message ?? `The server answered with status ${response.status}; try again.`;
  throw new ServerError(message, body.access ?? null);
}

/**
 * @param {string} url
 * @param {FormData} fields
 * @throws {ServerError}
 */
export function send(url, fields) {
  return ask(url, { method: "POST", body: new URLSearchParams(/** @type {any} */ (fields)) });
}

function signedOut() {
  return new ServerError("Your session has ended. Reload the page to sign in again.");
}
