/** The rows of a table. On narrow screens each row becomes a block of lines, unless the table is a compact one; its roles stay. */
import { BOARD } from "../config.js";
import { h } from "../dom.js";
import { own } from "../format.js";
import { cell, progress } from "./parts.js";

const classes = (...names) => names.filter(Boolean).join(" ") || null;

/** @param what {name, columns, ui, rows: [{row, entry}]} */
export function grid(c, { name, columns, ui, rows }) {
  const { key } = c.state.tables[name];
  const numbers = c.numbersOf(name);
  const t = {
    name,
    key,
    columns,
    sort: ui.sort,
    header: ["name", "title", key].find((column) => columns.includes(column)) ?? columns[0],
    classOf: (column) => classes(numbers.has(column) && "number", own(BOARD.minor, name)?.includes(column) && "minor"),
    seen: new Map(),
  };
  const stacks = columns.length > 3 && !BOARD.compact.includes(name);
  return h(
    "div",
    { class: "scroll", role: "region", "aria-labelledby": "table-title", tabindex: 0, key: "grid" },
    h(
      "table",
      { class: classes("grid", stacks && "stack"), role: "table" },
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          columns.map((column) => head(c, t, column)),
        ),
      ),
      h(
        "tbody",
        { role: "rowgroup" },
        rows.map((one) => line(c, t, one)),
      ),
    ),
  );
}

function head(c, { name, sort, classOf }, column) {
  const order = sort?.column === column ? (sort.down ? "descending" : "ascending") : null;
  const button = h("button", { type: "button", on: { click: () => c.act.sort(name, column) } }, c.label(column));
  return h("th", { scope: "col", role: "columnheader", class: classOf(column), "aria-sort": order, key: column }, button);
}

function line(c, t, { row, entry }) {
  const id = entry !== undefined && entry.key === undefined ? entry.once : String(row[t.key]);
  const nr = t.seen.get(id) ?? 0; // the sheet may have one key twice
  t.seen.set(id, nr + 1);
  const one = (column) => {
    const isHeader = column === t.header;
    const state = isHeader && entry !== undefined ? h("span", { class: "pending-note" }, progress(c, entry)) : null;
    const attributes = {
      key: column,
      role: isHeader ? "rowheader" : "cell",
      scope: isHeader ? "row" : null,
      class: classes(
        t.classOf(column),
        c.isFresh(t.name, id, column) && "fresh",
        /^\d{4}-\d\d-\d\dT/.test(row[column]) && "moment",
        /\S{25}/.test(row[column]) && "long",
      ),
      "data-label": c.label(column),
    };
    return h(isHeader ? "th" : "td", attributes, cell(c, column, row[column]), state);
  };
  return h(
    "tr",
    { key: `${id} ${nr}`, role: "row", class: classes(entry !== undefined && "pending", isMine(c, t.name, row) && "mine") },
    t.columns.map(one),
  );
}

function isMine({ state: { me } }, name, row) {
  if (me === undefined) return false;
  const { people, checkins } = BOARD;
  return (name === people?.table && row[people.name] === me.name) || (name === checkins?.table && row[checkins.who] === me.name);
}
