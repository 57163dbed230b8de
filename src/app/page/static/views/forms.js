/** Forms that write: to say where one is, and rows for any table that takes them. */
import { BOARD } from "../config.js";
import { h } from "../dom.js";
import { own } from "../format.js";
import { partOf } from "../parts.js";
import { field, valuesOf, written } from "./parts.js";

/** The values of a column of another table, or the words themselves. */
function choicesOf(c, choices) {
  if (choices === undefined) return undefined;
  const [table, column] = choices;
  const rows = c.state.tables[table]?.rows;
  if (rows !== undefined) return [...new Set(rows.map((row) => String(row[column] ?? "")).filter(Boolean))];
  return c.state.order.includes(table) ? [] : choices;
}

/** Where who is logged in says where they are: a new row the first time, then a change of it. */
export function checkinForm(c) {
  const { table, who, fields, choices } = BOARD.checkins;
  const { tables, me, rights } = c.state;
  if (partOf(c.state, "checkins") === undefined || tables[table] === undefined || rights[table] === undefined) return null;
  const row = c.rowsOf(table).find((one) => one.row[who] === me.name || one.entry?.user === me.name)?.row;
  if (!(row === undefined ? rights[table].append : rights[table].update)) return null;
  const send = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(fields.map((name) => [name, valuesOf(event.target)[name] ?? null]));
    c.act.write({
      table,
      key: row === undefined ? undefined : me.name,
      values: { ...values, [BOARD.checkins.at]: new Date().toISOString() },
    });
  };
  return h(
    "div",
    { class: "writing", key: "checkin" },
    h(
      "form",
      { class: "checkin", on: { submit: send } },
      h("h3", null, c.say(row === undefined ? "checkin" : "checkinChange")),
      h(
        "div",
        { class: "fields" },
        fields.map((name) => field(c, { name, value: String(row?.[name] ?? ""), choices: choicesOf(c, choices[name]) })),
      ),
      h("button", { class: "main" }, c.say(row === undefined ? "checkinSend" : "checkinUpdate")),
    ),
    written(c, table),
  );
}

/** A form for a table that takes rows from whoever looks at it. */
export function appendForm(c, name) {
  const { tables, rights, me } = c.state;
  const { columns, key } = tables[name];
  if (rights[name]?.append !== true || partOf(c.state, "checkins")?.table === name) return null;
  if (!rights[name].everybody && me === undefined) return h("p", { class: "soft", key: "form" }, c.say("loginFirst"));
  const isNamed = c.state.described[name]?.keyNamed !== false;
  const { choices = {}, numbers = c.numbersOf(name), ...form } = own(BOARD.forms, name) ?? {};
  // A key that the tables file names is made where a row has none; any other first column is people's own.
  const all = columns.filter((column) => column !== key || !isNamed);
  const fields = form.fields?.filter((one) => columns.includes(one)) ?? [];
  const send = (event) => {
    event.preventDefault();
    const values = valuesOf(event.target);
    if (Object.keys(values).length === 0) return c.act.say(c.say("fillOne"));
    c.act.write({ table: name, values: { ...c.filled(name), ...values } });
    event.target.reset();
  };
  return h(
    "div",
    { class: "writing card", key: "form" },
    h(
      "form",
      { on: { submit: send } },
      h("h2", null, c.say("add")),
      h(
        "div",
        { class: "fields" },
        (fields.length > 0 ? fields : all).map((one) =>
          field(c, { name: one, choices: choicesOf(c, own(choices, one)), numeric: numbers.has(one), required: one === key && !isNamed }),
        ),
      ),
      h("button", { class: "main" }, c.say("send")),
    ),
    written(c, name),
  );
}
