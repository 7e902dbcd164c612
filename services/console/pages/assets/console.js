"use strict";
// What the pages can't say in HTML alone. They work without it, only less conveniently.

// A button with data-copy copies the text of the element it names.
document.addEventListener("click", async (e) => {
  const button = e.target.closest("[data-copy]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(from.value ?? from.textContent);
    button.dataset.done = "yes";
    setTimeout(() => delete button.dataset.done, 1500);
  } catch {
    getSelection().selectAllChildren(from); // the reader can copy it by hand
  }
});

// A checkbox with data-all ticks every checkbox of that name.
document.addEventListener("change", (e) => {
  const name = e.target.dataset?.all;
  if (name) for (const box of document.getElementsByName(name)) box.checked = e.target.checked;
});

// A select with data-go submits its form when it changes.
document.addEventListener("change", (e) => {
  if (e.target.dataset?.go !== undefined) e.target.form.requestSubmit();
});
