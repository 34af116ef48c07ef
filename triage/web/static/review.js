// The review queue: one key says what an inquiry is, and the next one is there already.
"use strict";

(() => {
  const queue = document.getElementById("queue");
  const nothing = document.getElementById("nothing");
  const waiting = document.getElementById("waiting");
  const problem = document.getElementById("problem");
  const said = document.getElementById("said");
  const keys = document.getElementById("keys");
  const help = document.getElementById("help");
  const backwards = document.getElementById("back");
  const undoing = document.getElementById("undo");

  const DEPTH = 3; // so many, so that nobody waits who is fast
  const ahead = []; // inquiries that are here and not shown yet
  const skipped = []; // ids, the last one at the end
  const sending = new Set(); // ids whose label is on its way
  const labelled = []; // ids that got a label here, the last one at the end
  let acts = Promise.resolve(); // one after the other, in the order they were made
  let fetching = null;

  const current = () => queue.querySelector(".item");
  const idOf = (item) => item.dataset.id;

  function send(path, body) {
    return fetch(path, { method: "POST", body, headers: { "X-Part": "1" }, redirect: "manual" });
  }

  async function partOf(response) {
    if (response.status !== 200) return null;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.querySelector(".item");
  }

  function complain(text) {
    const notice = document.createElement("p");
    notice.className = "notice bad";
    notice.textContent = text;
    problem.replaceChildren(notice);
  }

  function show(item) {
    queue.replaceChildren(...(item ? [item] : []));
    document.dispatchEvent(new Event("shown"));
    nothing.hidden = Boolean(item || fetching);
    if (item) {
      window.htmx?.process(item); // it brings the picture of its recording
      item.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }

  function prefetch() {
    if (fetching || ahead.length >= DEPTH) return fetching;
    const shown = [current(), ...ahead].filter(Boolean).map(idOf);
    const skip = [...shown, ...sending].map((id) => `skip=${encodeURIComponent(id)}`).join("&");
    fetching = send(`/review/next?${skip}`)
      .then(partOf)
      .then((item) => {
        fetching = null;
        const known = item && [current(), ...ahead].some((each) => each && idOf(each) === idOf(item));
        if (item && !known) {
          if (current()) ahead.push(item);
          else show(item);
          prefetch();
        } else if (!current()) {
          show(null);
        }
      })
      .catch(() => { fetching = null; });
    return fetching;
  }

  function advance() {
    const item = ahead.shift() || null;
    if (!item) queue.replaceChildren();
    prefetch();
    show(item);
  }

  function act(path, body, id, told) {
    const before = new CustomEvent("acting", { detail: [] }); // signals of it that are on their way
    document.dispatchEvent(before);
    const failed = (text) => {
      if (labelled.includes(id)) labelled.splice(labelled.lastIndexOf(id), 1);
      complain(text);
    };
    sending.add(id);
    acts = Promise.allSettled([acts, ...before.detail])
      .then(() => send(path, body))
      .then(async (response) => {
        if (response.status === 409) failed(await response.text());
        else if (response.type === "opaqueredirect" || response.status === 401) {
          sending.clear();
          window.location.reload();
        } else if (response.status >= 400) failed("That could not be saved; the inquiry comes back.");
        else { said.textContent = told; problem.replaceChildren(); }
      })
      .catch(() => failed("The console does not answer; what you said last was not saved."))
      .finally(() => { sending.delete(id); count(); });
    return acts;
  }

  function press(button) {
    const item = button.closest(".item");
    if (!item || item !== current()) return;
    const id = idOf(item);
    const body = new FormData(item.querySelector("form"));
    if (button.name) {
      body.set(button.name, button.value);
      labelled.push(id);
      act(`/review/${id}`, body, id, `${button.textContent.trim()}: saved`);
    } else {
      skipped.push(id);
      backwards.hidden = false;
      act(`/review/${id}/skip`, null, id, "skipped");
    }
    advance();
  }

  function bring(path, body) {
    acts = acts.then(() => send(path, body)).then(async (response) => {
      if (response.status === 409) complain(await response.text());
      const item = await partOf(response);
      if (!item) return;
      for (const each of ahead.splice(0)) if (idOf(each) !== idOf(item)) ahead.push(each);
      if (current() && idOf(current()) !== idOf(item)) ahead.unshift(current());
      show(item);
      said.textContent = "back";
      count();
    }).catch(() => complain("The console does not answer."));
  }

  function back() {
    if (skipped.length) bring(`/review/${skipped.pop()}/back`);
    backwards.hidden = !skipped.length;
  }

  function count() {
    fetch("/review/waiting").then(async (response) => {
      if (response.status !== 200) return;
      const text = await response.text();
      waiting.textContent = text;
      if (!current() && parseInt(text, 10) > 0) prefetch();
    }).catch(() => {});
  }

  function note(item) {
    item.querySelector(".noted").open = true;
    item.querySelector("[name=note]").focus();
  }

  function toggle() {
    if (keys.open) keys.close();
    else keys.showModal();
    help.setAttribute("aria-expanded", String(keys.open));
  }

  function undo() {
    const asked = new Event("undo", { cancelable: true }); // signals come before labels
    if (!document.dispatchEvent(asked)) return;
    const body = new FormData();
    const last = labelled.pop(); // if it was not saved, nothing else is taken back instead
    if (last) body.set("expected", last);
    bring("/review/undo", body);
  }

  function play() {
    const audio = current()?.querySelector("audio");
    if (!audio) return false;
    if (audio.paused) audio.play().catch(() => {});
    else audio.pause();
    return true;
  }

  queue.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter) press(event.submitter);
  });
  queue.addEventListener("click", (event) => {
    // The second click of a double one would label the next inquiry, which nobody has read.
    if (event.detail > 1 && event.target.closest(".answers button")) event.preventDefault();
  });
  window.addEventListener("beforeunload", (event) => { if (sending.size) event.preventDefault(); });
  undoing.addEventListener("submit", (event) => { event.preventDefault(); undo(); });
  backwards.addEventListener("click", back);
  help.addEventListener("click", toggle);
  keys.addEventListener("close", () => help.setAttribute("aria-expanded", "false"));
  help.hidden = false;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (event.target.closest("input:not([type=range]), textarea, select")) {
      if (event.key === "Escape" && current()) current().focus();
      if (event.key === "Enter" && event.target.closest(".answers")) {
        event.preventDefault(); // of several buttons, Enter would press the first
        current().focus();
      }
      return;
    }
    if (event.shiftKey && event.key !== "?") return; // with it, letters say what words are
    const key = event.key.toLowerCase();
    if (key === "?") toggle();
    else if (keys.open) return;
    else if (key === "z") undo();
    else if (key === " ") { if (event.target.closest("button, summary, a") || !play()) return; }
    else if (key === "j") back();
    else if (key === "n" && current()) note(current());
    else {
      const item = current();
      const button = item && [...item.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
      if (!button) return;
      press(button);
    }
    event.preventDefault();
  });

  if (current()) current().focus({ preventScroll: true });
  prefetch();
  setInterval(count, 3000);
})();
