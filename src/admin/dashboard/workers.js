/** The table of processes: sorted by any column, one row for each place, its lines and its actions. */
import { spark } from "./draw.js";
import { $, attribute, element, list, text } from "./patch.js";
import { mib, millis, named, number, percent, span, t } from "./words.js";

/** A place whose last sign of life is older than this is shown as silent. */
const SILENT = 3_000;
const SHAPES = { ready: "●", trial: "◔", starting: "◔", draining: "◑", waiting: "○", vacant: "○", examined: "▲", killed: "✕", silent: "▲" };

export const stateOf = (place) => (place.state === "ready" && (place.beat_ms ?? 0) > SILENT ? "silent" : place.state);
const levelOf = (state) =>
  state === "silent" || state === "examined" || state === "killed" ? "critical" : state === "ready" ? "" : "warning";
const nameOf = ({ role, slot }) => (role === "worker" ? String(slot) : role);

/** `mid`: not on a phone. `extra`, `most`: on wide screens alone. */
const COLUMNS = [
  { key: "process", by: (p) => (p.role === "worker" ? p.slot : 1e6), cell: (p) => nameOf(p) },
  { key: "state", by: (p) => stateOf(p), cell: () => "" },
  { key: "age", className: "number mid", by: (p) => p.uptime_s ?? -1, cell: (p) => span(p.uptime_s) },
  { key: "requests", className: "number extra", by: (p) => p.served ?? -1, cell: (p) => number(p.served) },
  {
    key: "rate",
    className: "number mid",
    by: (p, lines) => lines?.rps.at(-1) ?? -1,
    line: (lines) => lines.rps,
    cell: (p, lines) => number(lines?.rps.at(-1)),
  },
  { key: "inFlight", className: "number most", by: (p) => p.in_flight ?? -1, cell: (p) => number(p.in_flight) },
  { key: "connections", className: "number extra", by: (p) => p.connections ?? -1, cell: (p) => number(p.connections) },
  { key: "load", className: "number", by: (p) => p.elu ?? -1, line: (lines) => lines.elu, most: 1, cell: (p) => percent(p.elu) },
  { key: "delay", className: "number extra", by: (p) => p.delay_p99_ms ?? -1, cell: (p) => millis(p.delay_p99_ms) },
  { key: "memory", className: "number mid", by: (p) => p.rss ?? -1, line: (lines) => lines.rss, cell: (p) => mib(p.rss) },
  { key: "restarts", className: "number most", by: (p) => p.restarts, cell: (p) => number(p.restarts) },
  { key: "beat", className: "number mid", by: (p) => p.beat_ms ?? -1, cell: (p) => millis(p.beat_ms) },
];

let sorted = { key: "process", up: true };

/** @param again shows the table anew, after another order was chosen. */
export function headings(again) {
  const row = $("workers").tHead.rows[0];
  for (const { key, className = "" } of COLUMNS) {
    const button = element("button", { content: t(key) });
    button.type = "button";
    button.addEventListener("click", () => {
      sorted = { key, up: sorted.key === key ? !sorted.up : key === "process" || key === "state" };
      again();
    });
    const heading = element("th", { className, children: [button] });
    heading.scope = "col";
    heading.dataset.key = key;
    row.append(heading);
  }
  row.append(element("th", { className: "operator", children: [element("span", { className: "hidden-text", content: t("actions") })] }));
}

/** @param act called with "recycle" or "stack" and the slot. */
export function showWorkers({ places }, lines, act) {
  for (const heading of $("workers").tHead.rows[0].cells)
    attribute(heading, "aria-sort", heading.dataset.key === sorted.key ? (sorted.up ? "ascending" : "descending") : null);
  const { by } = COLUMNS.find(({ key }) => key === sorted.key);
  const value = (place) => by(place, lines.get(place.id));
  const order = [...places].sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (sorted.up ? 1 : -1));
  list($("workers").tBodies[0], order, {
    key: ({ id }) => id,
    make: (place) => makeRow(place, act),
    fill: (row, place) => fillRow(row, place, lines.get(place.id)),
  });
}

function makeRow(place, act) {
  const cells = COLUMNS.map(({ key, className = "", line }, i) => {
    const cell = element(i === 0 ? "th" : "td", { className });
    if (i === 0) cell.scope = "row";
    if (line !== undefined) cell.append(element("span", { className: "with-line", children: [element("span")] }));
    if (key === "state") cell.append(element("span", { className: "state", children: [element("span"), element("span")] }));
    return cell;
  });
  cells[1].firstChild.firstChild.setAttribute("aria-hidden", "true");
  const actions = element("td", { className: "operator" });
  if (place.role === "worker") {
    const buttons = ["stack", "recycle"].map((what) => {
      const button = element("button", { className: what === "stack" ? "small mid" : "small icon", content: t(what) });
      button.type = "button";
      button.setAttribute("aria-label", t("rowOf", t(what), place.slot));
      button.addEventListener("click", () => act(what, place.slot));
      return button;
    });
    actions.append(element("div", { className: "row-actions", children: buttons }));
  }
  return element("tr", { children: [...cells, actions] });
}

function fillRow(row, place, lines) {
  COLUMNS.forEach(({ key, line, most, cell }, i) => {
    const node = row.cells[i];
    if (key === "state") return fillState(node.firstChild, place);
    const value = cell(place, lines);
    if (line === undefined) return text(node, value);
    const holder = node.firstChild;
    text(holder.lastChild, value);
    const values = lines === undefined ? [] : line(lines);
    const known = values.filter((one) => one !== null);
    const shown = key === "memory" ? (n) => `${n} MiB` : key === "load" ? percent : number;
    if (known.length > 1) spark(holder, values, t("sparkOf", t(key), shown(Math.min(...known)), shown(Math.max(...known)), value), most);
  });
}

function fillState(node, place) {
  const state = stateOf(place);
  attribute(node, "class", `state ${levelOf(state)}`);
  text(node.firstChild, SHAPES[state] ?? "○");
  const more = [
    ...(state === "silent" ? [t("silentFor", span((place.beat_ms ?? 0) / 1_000))] : [named("slot", state)]),
    ...(place.retry_in_s === undefined ? [] : [`${place.retry_in_s} s`]),
    ...(place.next === undefined ? [] : [`+ ${named("slot", place.next)}`]),
    ...(place.leaving === undefined ? [] : [`− ${place.leaving}`]),
  ];
  text(node.lastChild, more.join(", "));
  attribute(node, "title", place.last_death === undefined ? null : `${place.last_death.name}: ${place.last_death.how}`);
}
