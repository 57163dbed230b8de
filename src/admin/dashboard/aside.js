/** Writes that Google has refused for good: why, and what is to become of them. */
import * as api from "./api.js";
import { $, attribute, element, list, show, text } from "./patch.js";
import { named, number, t, time } from "./words.js";

/** Of the list; the rest is counted. */
const MOST = 10;
let asking = false;

/** @param act called with what is to be done and a write's id, or undefined for all. */
export async function showAside(writes, act) {
  const count = writes?.setAside ?? 0;
  if (count === 0) return show($("aside"), false);
  if (asking) return;
  asking = true;
  const { status, body } = await api.aside(MOST);
  asking = false;
  if (status !== 200) return; // what was shown stays: the page says by itself that nobody answers
  show($("aside"), body.count > 0);
  text($("aside-title"), t("asideCount", number(body.count)));
  text($("aside-more"), t("asideMore", number(body.count - body.writes.length)));
  show($("aside-more"), body.count > body.writes.length);
  list($("aside-list"), body.writes, { key: ({ id }) => id, make: ({ id }) => makeRow(id, act), fill: fillRow });
}

function makeRow(id, act) {
  const buttons = ["retry", "discard"].map((what) => {
    const button = element("button", { className: "small", content: t(what) });
    button.type = "button";
    button.addEventListener("click", () => act(what, id));
    return button;
  });
  const reason = element("span");
  reason.lang = "en"; // as Google, or the daemon, says it
  const actions = element("div", { className: "operator row-actions", children: buttons });
  return element("li", { children: [element("time"), element("span", { className: "word" }), reason, actions] });
}

function fillRow(node, { table, op, key, reason, parked_at: at }) {
  const what = t("asideRow", named("op", op), key, table);
  attribute(node.children[0], "datetime", at);
  text(node.children[0], time(at));
  text(node.children[1], what);
  text(node.children[2], reason);
  for (const button of node.children[3].children) attribute(button, "aria-label", `${button.textContent}: ${what}`);
}
