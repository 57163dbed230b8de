/** Small pieces that several views are made of. Each takes the page's context: {state, say, label, act}. */
import { h } from "../dom.js";
import { BOARD } from "../config.js";
import { countdown, textOf } from "../format.js";

/** @returns the title of the page. */
export const titleOf = (c) => BOARD.title ?? c.say(c.state.health?.demo === true ? "demoTitle" : "title");

/** One of a few words, with a colour of its own where it is a well-known one. */
export const chip = (c, value) => h("span", { class: "chip", "data-value": String(value) }, c.label(String(value)));

/** A cell of a row, as the column is shown. */
export function cell(c, column, value) {
  if (value === null || value === undefined || value === "") return null;
  return BOARD.chips.includes(column) ? chip(c, value) : textOf(c.named(column, value), c.state.locale);
}

/** What may be sent: a select where the values are few, else a line of text. */
export function field(c, { name, value = "", choices, numeric = false, required = false, id }) {
  const label = h("span", null, c.label(name));
  const attributes = { name, id, required };
  if (choices !== undefined) {
    const known = value === "" || choices.includes(value) ? choices : [value, ...choices];
    const options = ["", ...known].map((one) =>
      h("option", { value: one, selected: one === value, key: one }, one === "" ? c.say("choose") : c.label(one)),
    );
    return h("label", { class: "field", key: name }, label, h("select", attributes, options));
  }
  const kind = numeric ? { type: "number", step: "any" } : { type: "text", maxlength: 200, autocomplete: "off" };
  return h("label", { class: "field grow", key: name }, label, h("input", { ...attributes, ...kind, value }));
}

/** What has become of something that was written here. */
export function progress(c, entry) {
  const { say, state } = c;
  const time = countdown((entry.until ?? 0) - state.now);
  const waiting = { unreachable: "unreachableEntry", limited: "limited", later: "later", login: "loginEntry" };
  if (entry.is === "waiting") return say(waiting[entry.why], { time });
  if (entry.is === "refused" || entry.is === "parked") return say(entry.is, { reason: entry.text });
  return say(entry.is);
}

/** The latest of what was written into a table, each with what became of it. */
export function written(c, table) {
  const entries = c.state.outbox
    .filter((entry) => entry.table === table)
    .slice(-4)
    .toReversed();
  if (entries.length === 0) return null;
  const line = (entry) => {
    const what = Object.entries(entry.values).filter(([name, value]) => value !== null && value !== "" && !c.isFilled(table, name));
    const text = what.map(([name, value]) => cell(c, "", c.label(String(textOf(value, c.state.locale)), name))).join(" · ");
    const button =
      entry.is === "refused"
        ? h("button", { type: "button", class: "quiet", on: { click: () => c.act.discard(entry) } }, c.say("discard"))
        : null;
    return h(
      "li",
      { key: entry.once, "data-state": entry.is },
      h("span", { class: "what" }, text),
      h("span", { class: "became" }, progress(c, entry)),
      button,
    );
  };
  return h("div", { class: "written", key: "written" }, h("h3", null, c.say("yours")), h("ul", null, entries.map(line)));
}

/** How things stand, if not well: first on the page, and told to those who don't see it. */
export function noticeList(c, list) {
  const one = ({ id, tone, title, text, until, action, does }) =>
    h(
      "div",
      { class: "notice", "data-tone": tone, "data-id": id, key: id },
      h("div", null, h("strong", null, title), " ", h("span", null, text)),
      action === undefined
        ? null
        : h("button", { type: "button", disabled: until !== undefined, on: { click: () => c.act[does]() } }, action),
    );
  return h("div", { class: "notices", key: "notices" }, list.map(one));
}

/** The name and value pairs that a form holds, texts trimmed, numbers as numbers, empty ones left out. */
export function valuesOf(form) {
  const inputs = [...form.elements].filter(({ name }) => name !== "");
  return Object.fromEntries(
    inputs
      .map(({ name, value, type }) => [name, type === "number" && value !== "" ? Number(value) : value.trim()])
      .filter(([, value]) => value !== ""),
  );
}
