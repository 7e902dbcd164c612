"use strict";
// Small tools to build the page. A value only ever becomes text: nothing here reads HTML.

// el makes an element: el("p.note", {title: "x"}, "text", child, …). Nothing becomes nothing.
function el(what, attributes, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) if (child !== undefined && child !== null && child !== "" && child !== false) node.append(child);
  return node;
}

// keep brings a list up to date and leaves alone what did not change, so that focus,
// selection and open details stay. rows: [{key, sign, make}].
function keep(parent, rows) {
  const there = new Map();
  for (const node of [...parent.children]) there.set(node.dataset.key, node);
  let before = parent.firstElementChild;
  for (const row of rows) {
    let node = there.get(row.key);
    there.delete(row.key);
    if (!node || node.dataset.sign !== row.sign) {
      const fresh = row.make();
      fresh.dataset.key = row.key;
      fresh.dataset.sign = row.sign;
      if (node) {
        const focused = node.contains(document.activeElement);
        const open = !!node.querySelector("details[open]");
        if (before === node) before = node.nextElementSibling;
        node.replaceWith(fresh);
        if (open && fresh.querySelector("details")) fresh.querySelector("details").open = true;
        if (focused) (fresh.matches("button") ? fresh : fresh.querySelector("button, summary"))?.focus();
      }
      node = fresh;
    }
    if (before === node) before = node.nextElementSibling;
    else parent.insertBefore(node, before);
  }
  for (const node of there.values()) node.remove();
}

const locales = { uk: "uk-UA", ru: "ru-RU", en: "en-GB" };
function clock(when) {
  const d = new Date(when);
  return isNaN(d) ? "" : d.toLocaleTimeString(locales[lang], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}
function dayAndTime(when) {
  const d = new Date(when);
  return isNaN(d) ? "" : d.toLocaleString(locales[lang], { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit" });
}

// spaced writes a Ukrainian number as people do.
function spaced(number) {
  const m = /^\+?380(\d\d)(\d{3})(\d\d)(\d\d)$/.exec(number || "");
  return m ? `+380 ${m[1]} ${m[2]} ${m[3]} ${m[4]}` : number;
}

// facts is a list of names and values; empty values are left out.
function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return shown.length ? el("dl.facts", null, shown.flatMap(([name, value]) => [el("dt", null, name), el("dd", null, value)])) : null;
}

function chip(kind, words) { return el("span.chip." + kind, null, words); }

// decoded is the text of a body that JSON carries in base64.
function decoded(base64) {
  try { return new TextDecoder().decode(Uint8Array.from(atob(base64 || ""), (c) => c.charCodeAt(0))); } catch { return ""; }
}

// plain takes Bitrix24's marks out of a task's text.
function plain(text) { return text.replace(/\[\/?(?:B|I|U)\]/g, "").replace(/\[URL=([^\]]*)\]([^[]*)\[\/URL\]/g, "$2: $1"); }
