// Recordings, their pictures and their transcripts, in step: whatever has `data-at` plays from that
// second. Pages change while they are open, so everything is looked up when it is needed.
"use strict";

(() => {
  const STEP = 5;
  const PAGE = 15;

  const scopeOf = (element) => element.closest(".item") || document;
  const audioOf = (element) =>
    (element.closest(".player") || scopeOf(element)).querySelector("audio") || scopeOf(element).querySelector("audio");

  function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const rest = `${String(Math.floor((whole % 3600) / 60)).padStart(whole >= 3600 ? 2 : 1, "0")}:${String(whole % 60).padStart(2, "0")}`;
    return whole >= 3600 ? `${Math.floor(whole / 3600)}:${rest}` : rest;
  }

  function seek(audio, second) {
    audio.currentTime = Math.max(0, second);
    show(audio);
  }

  function toggle(audio) {
    if (audio.paused) audio.play().catch(() => {});
    else audio.pause();
  }

  function picture(audio, now) {
    const wave = audio.closest(".player")?.querySelector(".wave");
    if (!wave) return;
    const total = Number(wave.dataset.duration);
    const x = total ? Math.min(1000, (1000 * now) / total) : 0;
    wave.querySelector(".played").setAttribute("width", x);
    wave.querySelector(".cursor").setAttribute("x1", x);
    wave.querySelector(".cursor").setAttribute("x2", x);
    for (const one of wave.querySelectorAll(".speech")) {
      one.classList.toggle("now", Number(one.dataset.start) <= now && now < Number(one.dataset.end));
    }
    const slider = wave.querySelector(".seek");
    slider.value = now;
    slider.setAttribute("aria-valuetext", `${clock(now)} of ${clock(total)}`);
  }

  function words(line, now) {
    const spoken = line ? [...line.querySelectorAll("p [data-at]")].filter((word) => Number(word.dataset.at) <= now) : [];
    for (const word of (line || document).querySelectorAll("[data-at].now")) word.classList.remove("now");
    if (spoken.length) spoken[spoken.length - 1].classList.add("now");
  }

  function transcript(audio, now) {
    const list = scopeOf(audio).querySelector(".transcript");
    if (!list || audio !== audioOf(list)) return;
    const line = [...list.children].find((item) => Number(item.dataset.start) <= now && now < Number(item.dataset.end));
    const shown = list.querySelector("[aria-current]");
    if (line) words(line, now);
    if (line === shown) return;
    if (shown) {
      shown.removeAttribute("aria-current");
      shown.querySelectorAll(".now").forEach((word) => word.classList.remove("now"));
    }
    if (!line) return;
    line.setAttribute("aria-current", "true");
    if (audio.paused) return;
    const box = list.getBoundingClientRect();
    const place = line.getBoundingClientRect();
    if (place.top < box.top || place.bottom > box.bottom) list.scrollTop += place.top - box.top - box.height / 3;
  }

  function show(audio) {
    picture(audio, audio.currentTime);
    transcript(audio, audio.currentTime);
  }

  function follow(audio) {
    if (!audio.isConnected) return;
    show(audio);
    if (!audio.paused && !audio.ended) requestAnimationFrame(() => follow(audio));
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-at]");
    if (!target || !window.getSelection().isCollapsed) return;
    const audio = audioOf(target);
    if (!audio) return;
    seek(audio, Number(target.dataset.at));
    audio.play().catch(() => {});
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches(".seek")) seek(audioOf(event.target), Number(event.target.value));
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const slider = event.target.closest(".seek");
    const audio = slider && audioOf(slider);
    if (!audio) return;
    const last = Number(slider.max);
    const places = {
      ArrowLeft: audio.currentTime - STEP, ArrowDown: audio.currentTime - STEP,
      ArrowRight: audio.currentTime + STEP, ArrowUp: audio.currentTime + STEP,
      PageDown: audio.currentTime - PAGE, PageUp: audio.currentTime + PAGE,
      Home: 0, End: last,
    };
    if (event.key in places) seek(audio, Math.min(last, places[event.key]));
    else if (event.key === " " || event.key === "Enter") toggle(audio);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // Events of media do not bubble, but they can be caught on their way down.
  for (const name of ["timeupdate", "seeked", "ended"]) {
    document.addEventListener(name, (event) => show(event.target), true);
  }
  document.addEventListener("htmx:load", (event) => { // a picture that came after the sound
    const audio = event.target.closest?.(".player")?.querySelector("audio");
    if (audio && audio.currentTime > 0) show(audio);
  });
  document.addEventListener("play", (event) => {
    for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
    follow(event.target);
  }, true);
})();
