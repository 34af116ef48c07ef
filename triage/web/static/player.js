// The recording and its transcript, in step: whatever has `data-at` plays from that second.
"use strict";

(() => {
  const audio = document.getElementById("audio");
  const transcript = document.getElementById("transcript");
  if (!audio) return;

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-at]");
    if (!target || window.getSelection().toString()) return;
    audio.currentTime = Math.max(0, Number(target.dataset.at));
    audio.play().catch(() => {});
  });

  if (!transcript) return;
  const lines = [...transcript.children];
  let shown = null;

  audio.addEventListener("timeupdate", () => {
    const now = audio.currentTime;
    const line = lines.find((item) => Number(item.dataset.start) <= now && now < Number(item.dataset.end));
    if (line === shown) return;
    if (shown) shown.removeAttribute("aria-current");
    shown = line || null;
    if (!line) return;
    line.setAttribute("aria-current", "true");
    if (audio.paused) return;
    const box = transcript.getBoundingClientRect();
    const place = line.getBoundingClientRect();
    if (place.top < box.top || place.bottom > box.bottom) {
      transcript.scrollTop += place.top - box.top - box.height / 3;
    }
  });
})();
