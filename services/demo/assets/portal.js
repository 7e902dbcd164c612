"use strict";
// The portal's side: what stands in the simulated Bitrix24, as cards by kind.

const objectKinds = ["task", "lead", "deal", "contact", "company"];
let shownKind = "task";
let wanted = ""; // key of a card to look at, "lead 12"

function objectsOf(picture, kind) { return (kind === "task" ? picture.tasks : picture.entities[kind]) || []; }

// showObject opens the object's tab and goes to its card.
function showObject(kind, id) {
  shownKind = kind;
  wanted = `${kind} ${id}`;
  draw();
}

function drawTabs(picture) {
  keep(document.getElementById("tabs"), objectKinds.map((kind) => {
    const words = `${t(kind + "N")} ${picture.totals[kind] || 0}`, on = kind === shownKind;
    return { key: kind, sign: words + on, make: () => el("button", {
      type: "button", role: "tab", id: "tab-" + kind, "aria-selected": String(on), "aria-controls": "cards", tabindex: on ? "0" : "-1",
      onclick: () => { shownKind = kind; draw(); },
    }, t(kind + "N") + " ", el("span.count", null, String(picture.totals[kind] || 0))) };
  }));
}

document.getElementById("tabs").addEventListener("keydown", (e) => {
  const move = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  if (!move) return;
  e.preventDefault();
  shownKind = objectKinds[(objectKinds.indexOf(shownKind) + move + objectKinds.length) % objectKinds.length];
  draw();
  document.getElementById("tab-" + shownKind).focus();
});

function card(o, picture) {
  const made = o.call && o.call !== "";
  const utm = Object.entries(o.utm || {}).map(([name, value]) => `${name}: ${value}`).join(" · ");
  return el("article.card" + (o.closed ? ".closed" : ".open") + (made ? ".ours" : ""), { tabindex: "-1" },
    el("div.card-head", null, el("h3", null, o.title || `${t(o.kind + "1")} ${o.id}`), el("span.id", null, `${t(o.kind + "1")} ${o.id}`)),
    el("div.chips", null,
      o.kind === "task" || o.stage ? chip(o.lost ? "bad" : o.closed ? "good" : "doubt", t(o.closed ? "closed" : "open")) : null,
      o.stage ? chip("quiet", known("stage/" + o.stage, o.stage)) : null),
    facts([
      [t("owner"), personName(picture.users, o.responsible)],
      [t("due"), o.due ? dayAndTime(o.due) : ""],
      [t("phone"), (o.phones || []).map(spaced).join(", ")],
      [t("links"), (o.links || []).length ? el("span", null, o.links.flatMap((l, i) => [i ? ", " : "", entityButton(l.kind, l.id)])) : ""],
      ["UTM", utm],
      ...Object.entries(o.custom || {}).map(([, value]) => ["Google Client ID", value]),
      [t("created"), dayAndTime(o.created)],
    ]),
    o.text ? el("details", null, el("summary", null, t("showTask")), el("p.text", null, plain(o.text))) : null,
    made ? el("button.link", { type: "button", onclick: () => choose(o.call, true) }, "← " + t("byCall")) : el("p.quiet", null, t("fromBefore")));
}

function drawPortal(picture) {
  drawTabs(picture);
  const cards = document.getElementById("cards"), objects = objectsOf(picture, shownKind);
  cards.setAttribute("aria-labelledby", "tab-" + shownKind);
  const rows = objects.map((o) => {
    const sign = lang + JSON.stringify([o, o.responsible && picture.users[o.responsible]]);
    return { key: `${o.kind} ${o.id}`, sign, make: () => card(o, picture) };
  });
  if (!rows.length) rows.push({ key: "empty", sign: lang, make: () => el("p.quiet", null, t("empty")) });
  keep(cards, rows);
  for (const node of cards.children) node.classList.toggle("mine", !!chosen && objects.some((o) => o.call === chosen && node.dataset.key === `${o.kind} ${o.id}`));
  if (wanted) {
    const node = [...cards.children].find((n) => n.dataset.key === wanted);
    wanted = "";
    if (node) { node.scrollIntoView({ block: "nearest" }); node.focus(); node.classList.add("flash"); }
  }
}
