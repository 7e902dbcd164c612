"use strict";
// The page: asks once a second what there is, and brings the three panels up to date.

let picture = null; // what the demo said last
let rules = [];
let chosen = ""; // id of the call whose story is shown
let told = ""; // what the story shows, to notice that it has changed
let newestCall = "";
let tag = "";

function draw() {
  if (!picture) return;
  drawStatus();
  drawParked();
  drawCalls();
  drawPortal(picture);
}

function drawStatus() {
  const s = picture.status, portal = s.portal || {};
  const state = known("portal/" + portal.state, portal.state || "");
  const rows = [
    ["waiting", s.waiting, s.waiting ? "busy" : ""], ["in_flight", s.in_flight, s.in_flight ? "busy" : ""],
    ["in_doubt", s.in_doubt, s.in_doubt ? "warn" : ""], ["parked", s.parked, s.parked ? "warn" : ""],
    ["portalState", portal.state === "ok" ? `${state}, ${t("pace")}` : [state, told(portal.reason_in, portal.reason)].filter(Boolean).join(": "), portal.state === "ok" ? "fine" : "warn"],
    ["requests", picture.requests, ""], ["webhooks", picture.sent, ""],
  ];
  keep(document.getElementById("status"), rows.map(([name, value, kind]) => ({
    key: name, sign: lang + value + kind, make: () => el("div.fact" + (kind ? "." + kind : ""), null, el("dt", null, t(name)), el("dd", null, String(value))),
  })));
}

function drawParked() {
  keep(document.getElementById("parked"), (picture.parked.items || []).map((p) => ({
    key: p.id, sign: lang + JSON.stringify(p), make: () => el("details.parked", null,
      el("summary", null, chip("doubt", t("parked")), " ", p.call_id || t("unreadable")),
      el("p", null, told(p.reason_in, p.reason)),
      el("p.quiet", null, t("keptForYou")),
      ...(p.raw || []).map((r) => el("pre", { tabindex: "0" }, `${r.method} ${r.query || ""}\n${r.body}`))),
  })));
}

function drawCalls() {
  const list = document.getElementById("calls");
  const rows = picture.calls.map((c) => ({
    key: c.id, sign: lang + JSON.stringify(c) + (c.id === chosen), make: () => el("li", null, callRow(c)),
  }));
  if (!rows.length) rows.push({ key: "empty", sign: lang, make: () => el("li.quiet", null, t("noCalls")) });
  keep(list, rows);
}

const stateChip = { done: "good", ignored: "quiet", waiting: "busy", parked: "doubt", in_doubt: "doubt" };

function callRow(c) {
  return el("button.call", { type: "button", "aria-pressed": String(c.id === chosen), onclick: () => choose(c.id, true) },
    icon(c.direction, c.outcome),
    el("span.who", null, c.phone ? spaced(c.phone) : c.direction === "internal" ? t("direction/internal") : t("hidden")),
    el("time", { datetime: c.started_at }, clock(c.started_at)),
    el("span.what", null, [callWords(c.direction, c.outcome), c.employee, c.adopted && t("answerLost")].filter(Boolean).join(" · ")),
    c.rule ? el("code.rule", null, c.rule) : el("span", null, ""),
    chip(stateChip[c.state] || "quiet", known("state/" + c.state, c.state)));
}

// choose shows a call's story; by hand also brings it into view on a narrow screen.
function choose(id, byHand) {
  if (id !== chosen) { chosen = id; told = ""; }
  draw();
  refreshStory(byHand);
}

async function refreshStory(bringIntoView) {
  const place = document.getElementById("story"), id = chosen;
  if (!id) {
    place.replaceChildren(el("p.quiet", null, t("choose")));
    return;
  }
  const answer = await fetch("/demo/api/calls/" + encodeURIComponent(id));
  if (!answer.ok) return;
  const text = await answer.text();
  if (id !== chosen) return; // another was chosen meanwhile
  if (lang + text !== told) {
    told = lang + text;
    const story = JSON.parse(text), open = !!place.querySelector("details[open]");
    place.replaceChildren(
      el("p.story-head", null, icon(story.direction, story.outcome), " ", el("b", null, story.phone ? spaced(story.phone) : t(story.direction === "internal" ? "direction/internal" : "hidden")), " ", chip(stateChip[story.state] || "quiet", known("state/" + story.state, story.state))),
      tellStory(story, picture.users, rules));
    if (open && place.querySelector("details")) place.querySelector("details").open = true;
    if (bringIntoView) place.closest(".panel").scrollTop = 0;
  }
  if (bringIntoView && matchMedia("(max-width: 62rem)").matches) document.getElementById("story-title").focus();
}

// announce tells a listener of the newest call, one sentence a call.
function announce() {
  const c = picture.calls[0];
  if (!c || c.id === newestCall) return;
  if (newestCall) document.getElementById("news").textContent = `${t("newCall")}: ${callWords(c.direction, c.outcome)}, ${spaced(c.phone) || t("hidden")}`;
  newestCall = c.id;
}

function trouble(words) {
  const place = document.getElementById("trouble");
  place.hidden = !words;
  place.textContent = words;
}

async function look() {
  try {
    const answer = await fetch("/demo/data.json");
    if (!answer.ok) throw new Error(String(answer.status));
    trouble("");
    if (answer.headers.get("ETag") !== tag) {
      tag = answer.headers.get("ETag");
      picture = await answer.json();
      if (!chosen) {
        const first = picture.calls.find((c) => c.id === new URLSearchParams(location.search).get("call")) || picture.calls.find((c) => c.state === "done");
        if (first) chosen = first.id;
      }
      announce();
      draw();
      await refreshStory(false);
    }
  } catch {
    trouble(t("offline"));
  }
  setTimeout(look, 1000);
}

function speak() {
  document.documentElement.lang = lang;
  document.title = t("title");
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of document.querySelectorAll("[data-lang]")) node.setAttribute("aria-pressed", String(node.dataset.lang === lang));
}

for (const button of document.querySelectorAll("[data-lang]")) {
  button.addEventListener("click", () => {
    lang = button.dataset.lang;
    try { localStorage.setItem("ringbridge-demo-lang", lang); } catch { /* it holds until the page is closed */ }
    speak();
    draw();
    refreshStory(false);
  });
}

speak();
fetch("/demo/rules.json").then((answer) => answer.json()).then((all) => { rules = all || []; told = ""; }, () => {}).finally(look);
