// Conveniences; every page works without them.

const root = document.documentElement;

/** Shows times in the time zone of the browser. */
function showLocalTimes(within) {
  const format = new Intl.DateTimeFormat(root.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const time of within.querySelectorAll("time[datetime]")) {
    const local = format.format(new Date(time.dateTime));
    if (time.textContent !== local) time.textContent = local;
  }
}

/** Shows the buttons that copy the text of another element. */
function showCopyButtons() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    });
  }
}

/** Puts each mistake of an answer beside its field, and opens what hides the field. */
function placeMistakes(answer) {
  for (const old of document.querySelectorAll(".mistake[data-placed]")) old.remove();
  for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const item of answer.querySelectorAll("[data-field]")) {
    const field = document.getElementById(item.dataset.field);
    if (!field) continue;
    const note = document.createElement("p");
    note.className = "mistake";
    note.dataset.placed = "";
    note.id = `${field.id}-mistake`;
    note.textContent = item.textContent;
    if (!document.getElementById(note.id)) field.after(note);
    field.setAttribute("aria-invalid", "true");
    const others = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== note.id);
    field.setAttribute("aria-describedby", [note.id, ...others].join(" "));
    for (let hidden = field.closest("details"); hidden; hidden = hidden.parentElement.closest("details")) hidden.open = true;
  }
  answer.querySelector(".notice")?.focus();
}

/** Says whether the part of the page that follows events is still updated. */
function showStale(isStale) {
  const note = document.getElementById("stale");
  if (note) note.hidden = !isStale;
}

/** Says in the form for a job why it was not answered. */
function showFailure(message) {
  const answer = document.getElementById("answer");
  if (!answer) return;
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.tabIndex = -1;
  notice.append(Object.assign(document.createElement("p"), { textContent: message }));
  answer.replaceChildren(notice);
  placeMistakes(answer);
}

/** Returns the message of an error, which is a page or JSON; a proxy's own page has none. */
function messageOf({ text, response }) {
  const page = new DOMParser().parseFromString(text ?? "", "text/html");
  const status = `The server or a proxy answered with HTTP ${response.status}. Try again in a moment.`;
  return page.getElementById("error-message")?.textContent ?? messageIn(text) ?? status;
}

function messageIn(text) {
  try {
    return JSON.parse(text).message;
  } catch {
    return undefined;
  }
}

document.addEventListener("htmx:sse:after:connection", () => showStale(false));
document.addEventListener("htmx:sse:error", () => showStale(true));
document.addEventListener("htmx:response:error", (event) => {
  showStale(true);
  showFailure(messageOf(event.detail.ctx));
});
document.addEventListener("htmx:error", () => {
  showFailure("The server did not answer. Check the connection and send the form again; that does not create a second job.");
});
document.addEventListener("htmx:sse:after:message", (event) => showLocalTimes(event.target));
document.addEventListener("htmx:after:swap", () => {
  showLocalTimes(document);
  const answer = document.getElementById("answer");
  if (answer) placeMistakes(answer);
});

showLocalTimes(document);
showCopyButtons();
