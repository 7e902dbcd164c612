"use strict";
// The story of one call as a timeline, told from the events that the API gives.

function callWords(direction, outcome) {
  const out = direction === "outbound" ? known(`outcome/${outcome}/out`, "") : "";
  return [known("direction/" + direction, direction), direction === "internal" ? "" : out || known("outcome/" + outcome, outcome)].filter(Boolean).join(", ");
}

const arrows = { inbound: "↙", outbound: "↗", internal: "⇄" };
const marks = { answered: "✓", missed: "✕", voicemail: "◉" };

function icon(direction, outcome) {
  return el("span.icon." + (direction === "internal" ? "internal" : outcome || "none"), { "aria-hidden": "true" }, (arrows[direction] || "") + (marks[outcome] || ""));
}

function personName(users, id) {
  const u = users[id];
  return u ? u.name + (u.active ? "" : ` (${t("dismissed")})`) : id ? "№ " + id : "";
}

// step is one moment of the timeline.
function step(kind, title, when, ...children) {
  return el("li.step." + kind, null, el("div.when", null, el("h3", null, title), el("time", { datetime: when }, clock(when))), ...children);
}

function entityButton(kind, id) {
  return el("button.link", { type: "button", onclick: () => showObject(kind, id) }, `${t(kind + "1")} ${id}`);
}

function storyReceived(e) {
  const d = e.data, body = decoded(d.body);
  const raw = [`${d.method} ${d.query ? "?" + d.query : ""}`.trim(), ...Object.entries(d.headers || {}).map(([k, v]) => `${k}: ${v}`), "", body].join("\n").trim();
  return step("received", t("received"), e.time,
    el("p", null, `${d.method}, ${(d.headers || {})["Content-Type"] || "query"}, ${body ? new Blob([body]).size : (d.query || "").length} ${t("bytes")}`),
    el("details", null, el("summary", null, t("raw")), el("pre", { tabindex: "0" }, raw)));
}

function storyClassified(e) {
  const c = e.data;
  if (!c.final) return step("minor", t("ringing"), e.time, facts([[t("client"), spaced(c.client) || t("hidden")]]));
  if (!c.changed) return step("minor", t("nothingNew"), e.time);
  const span = (s) => s ? `${s} ${t("seconds")}` : "";
  return step("classified", t("classified"), e.time, facts([
    [t("call"), el("span", null, icon(c.direction, c.outcome), " ", callWords(c.direction, c.outcome), c.status ? ` (${c.status})` : "")],
    [t("client"), [spaced(c.client) || (c.direction === "internal" ? "" : t("hidden")), c.client_name].filter(Boolean).join(" · ")],
    [t("onCall"), c.employee ? c.employee.name : c.answered_on ? `${t("noEmployee")} (${spaced(c.answered_on)})` : t("nobody")],
    [t("line"), spaced(c.line)], [t("waited"), span(c.waiting_s)], [t("talk"), span(c.talk_s)],
    [t("source"), ["utm_source", "utm_medium", "utm_campaign", "utm_term"].map((k) => c[k] || (c.traffic || {})[k]).filter(Boolean).join(" / ")],
    [t("recording"), c.recording],
  ]));
}

function storyResolved(e, users) {
  const c = e.data.client;
  const which = c.open || c.contact || c.company;
  return step("resolved", t("resolved"), e.time,
    el("p", null, t("client/" + (c.state || ""))),
    facts([
      [which ? t(which.kind + "1") : "", which ? el("span", null, entityButton(which.kind, which.id), which.title ? " " + which.title : "") : ""],
      [t("owner"), personName(users, c.owner)],
      [t("because"), c.chosen_because ? known("because/" + c.chosen_because, c.chosen_because) : ""],
      [t("others"), (c.others || []).length ? el("span", null, c.others.flatMap((o, i) => [i ? ", " : "", entityButton(o.kind, o.id)])) : ""],
    ]));
}

function storyRule(e, rules) {
  const rule = rules.find((r) => r.id === e.data.rule);
  return step("rule", e.data.amends ? t("amended") : t("ruleFired"), e.time,
    el("p", null, el("code.rule", null, e.data.rule)),
    rule && el("p.when-words", null, rule.when[lang]),
    rule && el("ul.then", null, rule.then[lang].map((words) => el("li", null, words))),
    rule && el("p.source", null, `${t("why")}: ${rule.source[lang]}`));
}

const chipOf = { executed: "good", already_true: "good", adopted: "notable", in_doubt: "doubt", refused: "bad", waiting: "quiet" };

function storyCommand(command, outcome, users) {
  const d = command.data, thing = d.task || d.entity || {};
  const state = outcome ? outcome.data.state : "waiting";
  const about = [personName(users, thing.responsible)];
  if (d.task) about.push(thing.closed ? t("closed") : t("open"));
  if (thing.deadline) about.push(`${t("due").toLowerCase()} ${dayAndTime(thing.deadline)}`);
  return el("li.command", null,
    el("div.command-head", null,
      outcome && outcome.data.bitrix_id ? entityButton(d.kind, outcome.data.bitrix_id) : el("b", null, t(d.kind + "1")),
      chip(chipOf[state] || "quiet", known("outcome/" + state, state))),
    el("p", null, thing.title || ""), el("p.quiet", null, about.filter(Boolean).join(" · ")),
    outcome && outcome.data.error && el("p.bad-words", null, outcome.data.error));
}

function storyParked(e) {
  return step("parked", t("parkedAt"), e.time, el("p", null, told(e.data.reason_in, e.data.reason) || e.data.why || ""),
    e.data.remedy && el("p", null, `${t("remedy")}: ${told(e.data.remedy_in, e.data.remedy)}`));
}

// tellStory builds the timeline. Commands of one plan are told together, each with the
// last outcome that is known.
function tellStory(story, users, rules) {
  const outcomes = new Map(), plans = new Map(), list = el("ol.timeline");
  for (const e of story.events) {
    if (e.type === "bitrix.outcome.v1") outcomes.set(e.data.command_id, e);
    if (e.type === "bitrix.command.v1") plans.set(e.data.plan_id, [...(plans.get(e.data.plan_id) || []), e]);
  }
  for (const e of story.events) {
    switch (e.type) {
      case "call.received.v1": list.append(storyReceived(e)); break;
      case "call.classified.v1": list.append(storyClassified(e)); break;
      case "call.resolved.v1": list.append(storyResolved(e, users)); break;
      case "call.parked.v1": list.append(storyParked(e)); break;
      case "bitrix.command.v1": {
        const commands = plans.get(e.data.plan_id);
        if (commands[0] !== e) break;
        list.append(storyRule(e, rules));
        const real = commands.filter((c) => c.data.kind !== "nothing");
        const last = real.map((c) => outcomes.get(c.data.command_id)).filter(Boolean).pop();
        list.append(step("made", t("made"), last ? last.time : "", real.length
          ? el("ul.commands", null, real.map((c) => storyCommand(c, outcomes.get(c.data.command_id), users)))
          : el("p", null, t("nothingMade"))));
      }
    }
  }
  return list;
}
