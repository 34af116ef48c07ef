// Words that somebody selects become a signal: by mouse or finger, or by keyboard alone.
"use strict";

(() => {
  const picker = document.getElementById("picker");
  if (!picker) return;
  const form = picker.querySelector("form");
  const chosen = document.getElementById("chosen");
  const problem = document.getElementById("picker-problem");
  const choose = document.getElementById("choose");
  const queue = document.getElementById("queue");
  const said = document.getElementById("said");

  const acts = []; // signals that were said here: [inquiry, signal]
  let doing = Promise.resolve(); // what is sent, one after the other
  let tokens = null; // the words to be walked over, while somebody does
  let anchor = 0;
  let head = 0;

  const item = () => (queue ? queue.querySelector(".item") : document.querySelector("main"));
  const length = (text) => [...text].length; // as the console counts: characters, not halves
  const typing = (target) => Boolean(target.closest("input:not([type=range]), textarea, select, dialog"));
  const fieldOf = (node) => (node.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest("[data-field]");

  // What is selected, if it is words of the inquiry; of several fields only the first counts.
  function selected() {
    const selection = window.getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0).cloneRange();
    let field = fieldOf(range.startContainer);
    if (!field) {
      field = [...(item()?.querySelectorAll("[data-field]") || [])].find((each) => range.intersectsNode(each));
      if (!field) return null;
      range.setStart(field, 0);
    }
    if (!item()?.contains(field)) return null;
    if (!field.contains(range.endContainer)) range.setEnd(field, field.childNodes.length);
    const quote = range.toString();
    if (!quote.trim()) return null;
    const before = document.createRange();
    before.selectNodeContents(field);
    before.setEnd(range.startContainer, range.startOffset);
    const start = Number(field.dataset.offset || 0) + length(before.toString());
    return { field: field.dataset.field, start, end: start + length(quote), quote };
  }

  const places = () => ["field", "start", "end"].map((name) => form.elements[name].value).join(" ");

  function open(words) {
    if (places() !== `${words.field} ${words.start} ${words.end}`) form.elements.value.value = "";
    for (const [name, value] of Object.entries(words)) form.elements[name].value = value;
    const quote = words.quote.trim().replace(/\s+/g, " ");
    chosen.textContent = quote.length > 80 ? `${quote.slice(0, 79)}…` : quote;
    problem.hidden = true;
    picker.hidden = false;
  }

  function close() {
    tokens = null;
    picker.hidden = true;
    form.elements.value.value = "";
    window.getSelection().removeAllRanges();
  }

  document.addEventListener("selectionchange", () => {
    const words = selected();
    if (words) open(words);
    else if (!tokens && !picker.contains(document.activeElement)) picker.hidden = true;
  });

  // By keyboard: every word of the inquiry, in order.
  function collect() {
    const found = [];
    for (const field of item()?.querySelectorAll("[data-field]") || []) {
      if (!field.getClientRects().length) continue;
      for (const match of field.textContent.matchAll(/\S+/gu)) {
        found.push({ field, start: match.index, end: match.index + match[0].length });
      }
    }
    return found;
  }

  function place(field, offset) {
    const walker = document.createTreeWalker(field, NodeFilter.SHOW_TEXT);
    let left = offset;
    let node = walker.nextNode();
    while (node && left > node.data.length) {
      left -= node.data.length;
      node = walker.nextNode();
    }
    return [node, left];
  }

  function rectangle(token) {
    const range = document.createRange();
    range.setStart(...place(token.field, token.start + 1));
    range.setEnd(...place(token.field, token.end));
    return range.getBoundingClientRect();
  }

  function mark() {
    const field = tokens[head].field;
    if (tokens[anchor].field !== field) anchor = head; // a signal is stated in one place
    const [first, last] = anchor <= head ? [anchor, head] : [head, anchor];
    window.getSelection().setBaseAndExtent(...place(field, tokens[first].start), ...place(field, tokens[last].end));
    const words = selected(); // now: the event for it comes later than the next key may
    if (words) open(words);
    field.scrollIntoView({ block: "nearest" });
  }

  function line(direction) {
    const here = rectangle(tokens[head]);
    let best = head;
    let least = Infinity;
    tokens.forEach((token, number) => {
      const there = rectangle(token);
      const down = (there.top - here.top) * direction;
      const far = down * 10 + Math.abs(there.left - here.left);
      if (down > here.height / 2 && far < least) { best = number; least = far; }
    });
    return best;
  }

  function walk() {
    tokens = collect();
    if (!tokens.length) { tokens = null; return; }
    anchor = 0;
    head = 0;
    document.activeElement?.blur();
    mark();
  }

  function step(event) {
    const last = tokens.length - 1;
    const places = {
      ArrowRight: Math.min(last, head + 1), ArrowLeft: Math.max(0, head - 1),
      Home: 0, End: last,
    };
    if (event.key === "ArrowDown" || event.key === "ArrowUp") head = line(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key in places) head = places[event.key];
    else return false;
    if (!event.shiftKey) anchor = head;
    mark();
    return true;
  }

  function complain(text) {
    problem.textContent = text;
    problem.hidden = false;
  }

  async function send(target, path, body, told) {
    const response = await fetch(path, { method: "POST", body, headers: { "X-Part": "1" }, redirect: "manual" });
    if (response.status === 409) throw new Error(await response.text());
    if (response.status !== 200) throw new Error("That could not be saved; load the page again.");
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    target.querySelector(".mine").replaceWith(page.querySelector(".mine"));
    said.textContent = told;
  }

  function inOrder(work) {
    doing = doing.catch(() => {}).then(work);
    return doing;
  }

  function forget(said) {
    if (acts.includes(said)) acts.splice(acts.indexOf(said), 1);
  }

  function submit(button) {
    const target = item();
    if (!queue) { form.requestSubmit(button); return; }
    const body = new FormData(form);
    body.set(button.name, button.value);
    const act = [target.dataset.id, button.value.split(":")[0]];
    const words = places();
    acts.push(act);
    inOrder(() => send(target, `/inquiries/${target.dataset.id}/signals`, body, `${button.textContent.trim()}: saved`))
      .then(() => {
        if (words !== places()) return; // other words are chosen already
        close();
        if (target === item()) target.focus({ preventScroll: true });
      })
      .catch((error) => {
        forget(act);
        if (target === item()) complain(error.message);
        else said.textContent = error.message;
      });
  }

  function takeBack(id, signal) {
    const target = item();
    const body = new FormData();
    body.set("signal", signal);
    return inOrder(() => send(target, `/inquiries/${id}/signals/undo`, body, `${signal.replace("_", " ")}: taken back`));
  }

  if (queue) {
    form.addEventListener("submit", (event) => { event.preventDefault(); submit(event.submitter); });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-take-back]");
      if (!button) return;
      const { id } = item().dataset;
      const { takeBack: signal } = button.dataset;
      takeBack(id, signal).then(() => item().focus({ preventScroll: true })).catch((error) => { said.textContent = error.message; });
      const known = acts.findLastIndex(([inquiry, name]) => inquiry === id && name === signal);
      if (known >= 0) acts.splice(known, 1);
    });
    // What was said last about the inquiry on the screen is taken back before its label is.
    document.addEventListener("shown", close); // the words of another inquiry are no longer meant
    document.addEventListener("acting", (event) => event.detail.push(doing));
    document.addEventListener("undo", (event) => {
      const last = acts.findLastIndex(([inquiry]) => inquiry === item()?.dataset.id);
      if (last < 0) return;
      event.preventDefault();
      const [[id, signal]] = acts.splice(last, 1);
      takeBack(id, signal).catch((error) => { said.textContent = error.message; });
    });
  }

  if (choose) {
    choose.hidden = false;
    choose.addEventListener("click", walk);
  }
  document.getElementById("leave").addEventListener("click", close);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && !picker.hidden) { close(); event.preventDefault(); return; }
    if (typing(event.target)) return;
    if (tokens && !picker.contains(event.target) && step(event)) { event.preventDefault(); return; }
    if (event.repeat) return;
    if (!picker.hidden && event.shiftKey && /^[A-Z]$/i.test(event.key)) {
      const button = picker.querySelector(`[data-shift=${event.key.toUpperCase()}]`);
      if (!button) return;
      event.preventDefault();
      submit(button);
    } else if (event.key === "e" && !event.shiftKey && item()) {
      event.preventDefault();
      walk();
    }
  });
})();
