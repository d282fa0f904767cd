/** The form that gives the server access to storage again. The server says which fields it needs. */

import { send } from "./answers.js";

/** @typedef {{name: string, label: string, secret: boolean, required: boolean}} AccessField */

export class AccessForm {
  /**
   * @param {HTMLFormElement} form without fields
   * @param {string} fileId
   */
  constructor(form, fileId) {
    this.form = form;
    this.fileId = fileId;
    /** Called after the server has accepted the credentials. */
    this.onAccess = () => {};
    form.addEventListener("submit", (event) => this.#send(event));
  }

  /** @param {AccessField[]} fields */
  show(fields) {
    const labels = fields.map(createField);
    this.trouble = document.createElement("p");
    this.trouble.className = "mistake";
    this.trouble.setAttribute("role", "alert");
    const button = document.createElement("button");
    button.className = "main";
    button.textContent = "Give access";
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.textContent = "The server stores these credentials encrypted, and deletes them when your session would expire.";
    this.form.replaceChildren(...labels, this.trouble, button, hint);
    this.form.hidden = false;
  }

  hide() {
    this.form.replaceChildren();
    this.form.hidden = true;
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    const fields = new FormData(this.form);
    fields.set("file", this.fileId);
    try {
      await send(this.form.action, fields);
    } catch (error) {
      if (this.trouble) this.trouble.textContent = String(/** @type {Error} */ (error).message);
      return;
    }
    this.hide();
    this.onAccess();
  }
}

/** @param {AccessField} field */
function createField({ name, label, secret, required }) {
  const element = document.createElement("label");
  const input = document.createElement("input");
  input.name = name;
  input.type = secret ? "password" : "text";
  input.required = required;
  input.autocomplete = "off";
  element.append(label, input);
  return element;
}
