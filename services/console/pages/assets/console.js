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

// What changes by itself does so only while somebody looks. A hidden tab closes its
// streams, of which a browser keeps few for one server; when it is seen again it asks
// for the present ("seen" on the body), and what it gets opens its stream anew.
const streams = new Set();
htmx.createEventSource = (address) => {
  const stream = new EventSource(address);
  streams.add(stream);
  return stream;
};
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return htmx.trigger(document.body, "seen");
  for (const stream of streams) stream.close();
  streams.clear();
});

// An element with data-every is asked for again ("again" on it) after that many seconds.
let seconds = 0;
setInterval(() => {
  if (document.hidden) return;
  seconds++;
  for (const e of document.querySelectorAll("[data-every]")) if (seconds % e.dataset.every === 0) htmx.trigger(e, "again");
}, 1000);
