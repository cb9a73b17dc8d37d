/* The board: a card that is dropped on another stage sends its own form. Buttons do the same. */
(() => {
  "use strict";

  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".lane-card") || null;
    if (dragged) event.dataTransfer.setData("text/plain", dragged.id);
  });
  document.addEventListener("dragend", () => {
    dragged = null;
    mark(null);
  });

  const laneOf = (event) => dragged && event.target.closest?.(".lane[data-stage]");
  const mark = (lane) => {
    for (const each of document.querySelectorAll(".lane")) {
      each.classList.toggle("lane-over", each === lane);
    }
  };
  document.addEventListener("dragover", (event) => {
    const lane = laneOf(event);
    mark(lane);
    if (lane) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const lane = laneOf(event);
    if (!lane || lane.contains(dragged)) return;
    event.preventDefault();
    const form = dragged.querySelector("form");
    form.elements.stage.value = lane.dataset.stage;
    form.submit();
  });
})();
