/** One table: search, order, rows, files of it, and a form where rows may be added. */
import { BOARD } from "../config.js";
import { h } from "../dom.js";
import { ago, matches, own, sorted, textOf } from "../format.js";
import { hasStates } from "../parts.js";
import { appendForm } from "./forms.js";
import { grid } from "./grid.js";

const { people } = BOARD;

export function tableView(c, name) {
  const table = c.state.tables[name];
  const heading = h("h1", { id: "table-title", class: "view-title", tabindex: -1, key: "title" }, c.label(name));
  if (table === undefined)
    return h(
      "section",
      { class: "view", key: name },
      heading,
      h("p", { class: "soft", key: "wait" }, c.state.trouble === undefined ? c.say("wait") : c.say("notYet", { reason: c.state.trouble })),
    );
  const ui = c.uiOf(name);
  const columns = shownColumns(table);
  const found = select(c, name, ui);
  return h(
    "section",
    { class: "view", "aria-labelledby": "table-title", key: name },
    heading,
    appendForm(c, name),
    tools(c, name, ui, columns),
    h("p", { class: "soft status", key: "status" }, status(c, table, ui, found.length)),
    found.length === 0
      ? h("p", { class: "empty", role: "status", key: "empty" }, nothing(c, table, ui))
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

/** All that is of use to readers; ids only where no other column says what a row is. */
function shownColumns({ name, columns }) {
  const shown = columns.filter((column) => !own(BOARD.hidden, name)?.includes(column));
  return shown.includes("name") || shown.includes("title") ? shown : columns;
}

/** Why no row is shown. */
function nothing(c, { rows }, { search }) {
  if (rows.length === 0) return c.say("nothing");
  return search.trim() === "" ? c.say("noneOfThese") : c.say("noMatch", { search: search.trim() });
}

/** The rows that are shown, in their order, changes of one's own that are under way among them. */
function select(c, name, { search, sort, only }) {
  const kept = c.rowsOf(name).filter(({ row }) => {
    if (isPeople(c, name) && only !== "all" && people.isIn.includes(row[people.state]) !== (only === "inside")) return false;
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

const isPeople = (c, name) => hasStates(c.state) && name === people.table;

function tools(c, name, ui, columns) {
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
        placeholder: `${columns
          .slice(0, 2)
          .map((column) => c.label(column))
          .join(", ")} …`,
        autocomplete: "off",
        spellcheck: "false",
        maxlength: 100,
        on: { input },
      }),
    ),
    isPeople(c, name) ? h("div", { class: "segments", role: "group", "aria-label": c.label(people.state), key: "only" }, filter) : null,
  );
}

function status(c, table, { sort }, found) {
  const { now, locale } = c.state;
  const parts = [c.say("shown", { shown: textOf(found, locale), total: textOf(Math.max(table.total, table.rows.length), locale) })];
  if (table.total > table.rows.length) parts.push(c.say("firstRows", { n: textOf(table.rows.length, locale) }));
  if (sort !== undefined) parts.push(c.say("sortedBy", { column: c.label(sort.column) }));
  return [...parts, c.say("asOf", { ago: ago((now - table.readAt) / 1_000, locale) })].join(" · ");
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
    h("h2", null, c.say("export")),
    button("xlsx", "Excel"),
    button("csv", "CSV"),
    button("json", "JSON"),
    h("p", { class: "soft", role: "status" }, busy === undefined ? (text ?? "") : c.say("exporting")),
  );
}
