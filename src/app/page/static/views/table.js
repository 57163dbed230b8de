/** One table: search, order, rows, files of it, and a form where rows may be added. */
import { BOARD } from "../config.js";
import { h } from "../dom.js";
import { ago, matches, own, sorted, textOf } from "../format.js";
import { appendForm } from "./forms.js";
import { cell, progress } from "./parts.js";

const { people } = BOARD;

export function tableView(c, name) {
  const table = c.state.tables[name];
  const heading = h("h2", { id: "table-title", class: "view-title", tabindex: -1, key: "title" }, c.label(name));
  if (table === undefined)
    return h(
      "section",
      { class: "view", key: name },
      heading,
      h("p", { class: "soft", key: "wait" }, c.state.trouble === undefined ? c.say("wait") : c.say("notYet", { reason: c.state.trouble })),
    );
  const ui = c.uiOf(name);
  const columns = table.columns.filter((column) => !own(BOARD.hidden, name)?.includes(column));
  const found = select(c, name, ui);
  return h(
    "section",
    { class: "view", "aria-labelledby": "table-title", key: name },
    heading,
    appendForm(c, name),
    tools(c, name, ui),
    h("p", { class: "soft status", key: "status" }, status(c, table, ui, found.length)),
    found.length === 0
      ? h("p", { class: "empty", key: "empty" }, c.say("nothing"))
      : grid(c, { name, columns, ui, rows: found.slice(0, ui.shown) }),
    found.length > ui.shown
      ? h(
          "p",
          { class: "more", key: "more" },
          h(
            "button",
            { type: "button", on: { click: () => c.act.more(name) } },
            c.say("more", { n: Math.min(100, found.length - ui.shown) }),
          ),
        )
      : null,
    files(c, name, ui),
  );
}

/** The rows that are shown, in their order, changes of one's own that are under way among them. */
function select(c, name, { search, sort, only }) {
  const kept = c.rowsOf(name).filter(({ row }) => {
    if (name === people.table && only !== "all" && people.isIn.includes(row[people.state]) !== (only === "inside")) return false;
    return (
      search === "" ||
      matches(
        Object.entries(row).map(([column, value]) => c.named(column, value)),
        search,
      )
    );
  });
  const fresh = kept.filter(({ entry }) => entry !== undefined && entry.key === undefined);
  const rest = kept.filter((one) => !fresh.includes(one));
  if (sort === undefined) return [...fresh, ...rest];
  const by = new Map(rest.map((one) => [one.row, one]));
  return [...fresh, ...sorted([...by.keys()], sort, c.state.locale).map((row) => by.get(row))];
}

function tools(c, name, ui) {
  const input = (event) => c.act.search(name, event.target.value);
  const filter = ["all", "inside", "outside"].map((only) =>
    h(
      "button",
      { type: "button", key: only, "aria-pressed": String(ui.only === only), on: { click: () => c.act.only(name, only) } },
      c.say(only),
    ),
  );
  return h(
    "div",
    { class: "tools", role: "search", key: "tools" },
    h(
      "label",
      { class: "field", key: "search" },
      h("span", null, c.say("search")),
      h("input", {
        type: "search",
        id: "search",
        value: ui.search,
        placeholder: c.say("searchHint"),
        autocomplete: "off",
        spellcheck: "false",
        maxlength: 100,
        on: { input },
      }),
    ),
    name === people.table ? h("div", { class: "segments", role: "group", "aria-label": c.label(people.state), key: "only" }, filter) : null,
  );
}

function status(c, table, { sort }, found) {
  const { now, locale } = c.state;
  const parts = [c.say("shown", { shown: textOf(found, locale), total: textOf(Math.max(table.total, table.rows.length), locale) })];
  if (table.total > table.rows.length) parts.push(c.say("firstRows", { n: textOf(table.rows.length, locale) }));
  if (sort !== undefined) parts.push(c.say("sortedBy", { column: c.label(sort.column) }));
  return [...parts, c.say("asOf", { ago: ago((now - table.readAt) / 1_000, locale) })].join(" · ");
}

function grid(c, { name, columns, ui, rows }) {
  const numbers = c.numbersOf(name);
  const classOf = (column) =>
    [numbers.has(column) ? "number" : "", own(BOARD.minor, name)?.includes(column) ? "minor" : ""].join(" ").trim() || null;
  const head = (column) => {
    const order = ui.sort?.column === column ? (ui.sort.down ? "descending" : "ascending") : null;
    return h(
      "th",
      { scope: "col", class: classOf(column), "aria-sort": order, key: column },
      h("button", { type: "button", on: { click: () => c.act.sort(name, column) } }, c.label(column)),
    );
  };
  const { key } = c.state.tables[name];
  const named = columns.includes("name") ? "name" : (columns.find((column) => column === key) ?? columns[0]);
  const mine = (row) =>
    c.state.me !== undefined &&
    ((name === people.table && row[people.name] === c.state.me.name) ||
      (name === BOARD.checkins.table && row[BOARD.checkins.who] === c.state.me.name));
  const seen = new Map();
  const line = ({ row, entry }) => {
    const id = entry !== undefined && entry.key === undefined ? entry.once : String(row[key]);
    const nr = seen.get(id) ?? 0; // the sheet may have one key twice
    seen.set(id, nr + 1);
    const of = (column) => {
      const marks = [c.isFresh(name, id, column) ? "fresh" : "", /\S{25}/.test(row[column]) ? "long" : ""];
      const content = cell(c, column, row[column]);
      const state = column === named && entry !== undefined ? h("span", { class: "pending-note" }, progress(c, entry)) : null;
      return h(
        column === named ? "th" : "td",
        { key: column, scope: column === named ? "row" : null, class: [classOf(column), ...marks].filter(Boolean).join(" ") || null },
        content,
        state,
      );
    };
    return h(
      "tr",
      { key: `${id} ${nr}`, class: [entry === undefined ? "" : "pending", mine(row) ? "mine" : ""].join(" ").trim() || null },
      columns.map(of),
    );
  };
  return h(
    "div",
    { class: "scroll", role: "region", "aria-labelledby": "table-title", tabindex: 0, key: "grid" },
    h("table", { class: "grid" }, h("thead", null, h("tr", null, columns.map(head))), h("tbody", null, rows.map(line))),
  );
}

function files(c, name, ui) {
  const { busy, text } = c.state.exports;
  const button = (format, label) =>
    h(
      "button",
      { type: "button", key: format, disabled: busy !== undefined, on: { click: () => c.act.exported(name, format, ui.sort) } },
      label,
    );
  return h(
    "div",
    { class: "files", key: "files" },
    h("h3", null, c.say("export")),
    button("xlsx", "Excel"),
    button("csv", "CSV"),
    button("json", "JSON"),
    h("p", { class: "soft", role: "status" }, busy === undefined ? (text ?? "") : c.say("exporting")),
  );
}
