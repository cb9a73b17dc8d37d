/* Notices: variables go in where the cursor stands; the cancel window counts down. */
(() => {
  "use strict";

  // The field that was last written in; a press on a button takes the focus away.
  let last = null;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#subject, #body")) last = event.target;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-insert]");
    if (!button) return;
    const field = last || document.getElementById("body");
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // The server says how long it still takes; the clock of this computer may be wrong.
  const started = performance.now();
  const tick = () => {
    for (const place of document.querySelectorAll("[data-countdown]")) {
      const passed = (performance.now() - started) / 1000;
      const left = Math.ceil(Number(place.dataset.countdown) - passed);
      if (left <= 0) { location.reload(); return; }
      const two = (number) => String(number).padStart(2, "0");
      const hours = Math.floor(left / 3600);
      const minutes = two(Math.floor(left / 60) % 60);
      place.textContent = `${hours ? `${hours}:` : ""}${minutes}:${two(left % 60)}`;
    }
    setTimeout(tick, 500);
  };
  const start = () => { if (document.querySelector("[data-countdown]")) tick(); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
