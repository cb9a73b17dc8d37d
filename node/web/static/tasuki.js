/* Small manners of the pages. Everything also works without it; nothing here decides anything. */
(() => {
  "use strict";

  // On a phone a list becomes cards; each cell then carries its column's name.
  const labelCells = (root) => {
    for (const table of root.querySelectorAll("table.list-stack")) {
      const names = [...table.querySelectorAll("thead tr > *")].map(
        (th) => th.dataset.short || th.textContent.trim(),
      );
      for (const row of table.querySelectorAll("tbody tr")) {
        [...row.children].forEach((cell, at) => {
          if (names[at] && !cell.dataset.label && !cell.classList.contains("check"))
            cell.dataset.label = names[at];
        });
      }
    }
  };

  // Bulk choice: the bar counts what is ticked and opens its buttons.
  const countChoice = (form) => {
    const boxes = [...form.querySelectorAll("input[data-choice]")];
    const chosen = boxes.filter((box) => box.checked);
    for (const box of boxes) box.closest("tr")?.classList.toggle("chosen", box.checked);
    const all = form.querySelector("input[data-choose-all]");
    if (all) {
      all.checked = boxes.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
    for (const place of form.querySelectorAll("[data-choice-count]"))
      place.textContent = String(chosen.length);
    for (const button of form.querySelectorAll("[data-needs-choice]"))
      button.disabled = chosen.length === 0;
  };

  document.addEventListener("change", (event) => {
    const box = event.target;
    const form = box.closest?.("form[data-choices]");
    if (!form) return;
    if (box.matches("[data-choose-all]")) {
      for (const other of form.querySelectorAll("input[data-choice]")) other.checked = box.checked;
    }
    countChoice(form);
  });

  // A form is sent once: a second press while the answer is on its way does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // What answers with a file leaves the page as it is, and may be asked for again.
    if (form.method !== "post" || event.defaultPrevented || form.dataset.files) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 5000);
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // Copy a value that people carry elsewhere (a link, a digest).
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.querySelector("[data-copied]");
    if (said) {
      said.hidden = false;
      setTimeout(() => {
        said.hidden = true;
      }, 2000);
    }
  });

  // Show or hide a password that is being typed.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-reveal]");
    if (!button) return;
    const input = document.getElementById(button.dataset.reveal);
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });

  // What is to be corrected, each with the name of its field; following it leads into the field.
  const nameErrors = () => {
    for (const link of document.querySelectorAll('#form-errors a[href^="#field-"]')) {
      const field = document.getElementById(link.hash.slice(1));
      const name = field?.querySelector(".field-label")?.firstChild?.textContent.trim();
      if (name) link.textContent = `${name}: ${link.textContent}`;
      link.addEventListener("click", (event) => {
        event.preventDefault();
        field?.scrollIntoView({ block: "center" });
        field?.querySelector("input, select, textarea")?.focus({ preventScroll: true });
      });
    }
  };

  // htmx asks with the page's own token, so that its POSTs are let in too.
  document.addEventListener("htmx:config:request", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.ctx.request.headers["X-CSRFToken"] = token.content;
  });
  document.addEventListener("htmx:after:swap", () => labelCells(document));

  // On a phone the menu is a dialog and needs a name; at the desk it is a plain part of the page.
  const nameMenu = () => {
    const menu = document.getElementById("menu");
    menu?.addEventListener("show.bs.offcanvas", () => {
      menu.setAttribute("aria-label", menu.dataset.label);
    });
    menu?.addEventListener("hidden.bs.offcanvas", () => menu.removeAttribute("aria-label"));
  };

  const start = () => {
    nameMenu();
    labelCells(document);
    nameErrors();
    for (const form of document.querySelectorAll("form[data-choices]")) countChoice(form);
    // After a refused form, the reader stands at the list of what to correct.
    document.getElementById("form-errors")?.focus();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
