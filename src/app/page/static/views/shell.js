/** What stands around every view: the bar on top, the tabs, what the demo is. */
import { h } from "../dom.js";
import { notices } from "../notices.js";
import { hasBoard, isReady } from "../parts.js";
import { home } from "./home.js";
import { noticeList, titleOf } from "./parts.js";
import { tableView } from "./table.js";

export function page(c) {
  const ready = isReady(c.state);
  return [
    h("a", { class: "skip", href: "#content", key: "skip", on: { click: (event) => c.act.skip(event) } }, c.say("skip")),
    bar(c),
    tabs(c),
    h("main", { id: "content", tabindex: -1, key: "main" }, noticeList(c, notices(c.state, c.say)), ready ? content(c) : loading(c)),
    ready && c.state.health?.demo === true ? operator(c) : null,
  ];
}

function content(c) {
  const { view, order } = c.state;
  if (order.length === 0) return empty(c);
  return view === "" ? home(c) : tableView(c, view);
}

const loading = (c) =>
  h(
    "section",
    { class: "view", "aria-busy": "true", key: "loading" },
    h("h1", { class: "visually-hidden" }, titleOf(c)),
    h("p", { class: "soft" }, c.state.trouble === undefined ? c.say("wait") : c.say("notYet", { reason: c.state.trouble })),
  );

function bar(c) {
  const { me, canLogin, live, online, reach } = c.state;
  const state = !online ? "offline" : live === "live" && reach !== "unreachable" ? "live" : live === "new" ? "connecting" : "paused";
  const text = c.say(state === "offline" ? "offlineShort" : state);
  return h(
    "header",
    { class: "bar", key: "bar" },
    h(
      "p",
      { class: "brand" },
      h("a", { href: "#" }, h("img", { src: "/static/mark.svg", alt: "", width: 30, height: 30 }), h("span", null, titleOf(c))),
    ),
    h("p", { class: "live", "data-state": state }, h("span", { class: "dot", "aria-hidden": "true" }), h("span", null, text)),
    h(
      "div",
      { class: "who" },
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          id: "language",
          lang: c.state.language === "en" ? "fr" : "en",
          "aria-label": c.say("language"),
          on: { click: () => c.act.language() },
        },
        h("span", { class: "wide-only" }, c.say("language")),
        h("span", { class: "narrow-only" }, c.say("language").slice(0, 2).toUpperCase()),
      ),
      me !== undefined ? h("span", { class: "me", key: "me" }, me.name) : null,
      me !== undefined
        ? h("button", { type: "button", id: "leave", key: "leave", on: { click: () => c.act.logout() } }, c.say("logout"))
        : canLogin
          ? h("button", { type: "button", class: "main", id: "enter", key: "enter", on: { click: () => c.act.login() } }, c.say("login"))
          : null,
    ),
  );
}

function tabs(c) {
  const { order, view } = c.state;
  const tab = (name, text) =>
    h("li", { key: name }, h("a", { href: `#${encodeURIComponent(name)}`, "aria-current": view === name ? "page" : null }, text));
  return h(
    "nav",
    { class: "tabs", "aria-label": c.say("views"), key: "tabs" },
    h(
      "ul",
      null,
      hasBoard(c.state) ? tab("", c.say("board")) : null,
      order.map((name) => tab(name, c.label(name))),
    ),
  );
}

const empty = (c) =>
  h(
    "section",
    { class: "card", key: "empty", id: "empty" },
    h("h1", { class: "view-title", tabindex: -1 }, c.say("emptyTitle")),
    h("p", null, c.say("emptyText")),
  );

/** For whoever has just started the demo: where to go from here. */
function operator(c) {
  const { order } = c.state;
  const example = `${location.origin}/api/tables/${order.includes("players") ? "players" : (order[0] ?? "TABLE")}?limit=3`;
  return h(
    "footer",
    { key: "operator" },
    h("p", null, c.say("demoNote")),
    h(
      "details",
      null,
      h("summary", null, c.say("operator")),
      h(
        "ol",
        null,
        c.texts.steps.map(([title, text]) => h("li", { key: title }, h("strong", null, title), " ", text)),
      ),
      h("p", null, c.say("api"), " ", h("a", { href: "/api/openapi.json" }, "/api/openapi.json")),
      h("pre", { tabindex: 0 }, h("code", null, `curl -s '${example}'`)),
    ),
  );
}
