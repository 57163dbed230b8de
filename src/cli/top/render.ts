/** Draws the model: exactly as many lines as the terminal has, none wider than it. Pure. */
import { impossible } from "../../base/never.ts";
import { fitLine, piece, type Line, type Tone } from "../terminal/line.ts";
import { columnsOf, cut, fit } from "../terminal/printable.ts";
import { columnsFor, toneOf, type Column, type Row } from "./columns.ts";
import { KEYS } from "./keys.ts";
import { layoutOf, type Layout } from "./layout.ts";
import { workersOf, type Model } from "./model.ts";

export function render(model: Model): readonly Line[] {
  const { rows, columns } = model.size;
  const lines = screenOf(model).slice(0, Math.max(0, rows - 1));
  while (lines.length < rows - 1) lines.push([]);
  return [...lines, bottom(model)].slice(-rows).map((line) => fitLine(line, columns));
}

function screenOf(model: Model): readonly Line[] {
  const { mode } = model;
  switch (mode.is) {
    case "help":
      return help();
    case "text":
      return [[piece(mode.title, "bold")], ...mode.lines.slice(mode.scroll).map((line) => [piece(line)])];
    case "table":
    case "confirm":
    case "slot":
      return model.status === undefined ? [[piece(`drover top: ${model.away ?? "asking the daemon …"}`, "bold")]] : tableOf(model);
    default:
      return impossible(mode);
  }
}

function tableOf(model: Model): readonly Line[] {
  const layout = layoutOf(model);
  const columns = columnsFor(model.size.columns);
  const shown = layout.rows.slice(layout.scroll, layout.scroll + layout.body);
  return [...layout.header, titles(model, columns), ...shown.map((row) => rowLine(model, columns, row))];
}

function titles(model: Model, columns: readonly Column[]): Line {
  const { by, down } = model.sort;
  const cells = columns.map((column) => {
    const mark = column.name === by ? (down ? "↓" : "↑") : "";
    const room = widthOf(model, columns, column);
    return fit(
      column.align === "left" ? column.title + mark : mark + column.title,
      Math.max(room, columnsOf(column.title + mark)),
      column.align,
    );
  });
  return [piece(fit(joined(cells, columns, model), model.size.columns), "head")];
}

/** A title with its mark may be wider than its column: it takes the blank before it. */
function joined(cells: readonly string[], columns: readonly Column[], model: Model): string {
  let text = "";
  for (const [i, cell] of cells.entries()) {
    const column = columns[i];
    const over = column === undefined ? 0 : columnsOf(cell) - widthOf(model, columns, column);
    text += i === 0 ? cell : " ".repeat(Math.max(0, 1 - over)) + cell;
  }
  return text;
}

/** The last column takes what is left. */
function widthOf({ size }: Model, columns: readonly Column[], column: Column): number {
  if (column.name !== "death") return column.width;
  return size.columns - columns.reduce((sum, { name, width }) => sum + (name === "death" ? 0 : width + 1), 0);
}

const rowLine = (model: Model, columns: readonly Column[], row: Row): Line => [
  piece(columns.map((column) => fit(column.text(row), widthOf(model, columns, column), column.align)).join(" "), toneOf(row)),
];

/** The question, the result, or which rows are shown and how to get help. */
function bottom(model: Model): Line {
  const { mode, message, size } = model;
  if (mode.is === "confirm") return [piece(`${mode.question} `, "bold"), piece("y/n", "warn")];
  if (message !== undefined)
    return [...(mode.is === "slot" ? slotPrompt(model) : []), piece(cut(message.text, size.columns), message.tone)];
  if (mode.is === "slot") return slotPrompt(model);
  if (mode.is === "help") return [piece("any key: back", "dim")];
  if (mode.is === "text") return [piece(`${position(mode.scroll, size.rows - 2, mode.lines.length, "line")}q back  ↑ ↓ scroll`, "dim")];
  return [piece(`${shownRows(layoutOf(model))}? help  q quit  r reload  + - scale  R recycle  s stack`, "dim")];
}

function slotPrompt({ mode, status }: Model): Line {
  if (mode.is !== "slot") return [];
  const numbers = workersOf(status);
  const range = numbers.length === 0 ? "none is there" : `${numbers[0]} to ${numbers.at(-1)}`;
  const all = mode.of === "recycle" ? "a all, " : "";
  return [piece(`${mode.of} which slot (${range}; ${all}Enter, Esc)? `, "bold"), piece(`${mode.typed}_ `, "warn")];
}

const shownRows = ({ rows, body, scroll }: Layout): string => position(scroll, body, rows.length, "row");

/** "rows 11 to 20 of 64  ", or nothing when all are seen. */
function position(scroll: number, body: number, all: number, what: string): string {
  return all <= body ? "" : `${what}s ${scroll + 1} to ${Math.min(all, scroll + body)} of ${all}  `;
}

const KEY_WIDTH = 8;

function help(): readonly Line[] {
  const key = (name: string, does: string, tone: Tone = "bold"): Line => [piece(fit(name, KEY_WIDTH), tone), piece(does)];
  return [
    [piece("drover top", "bold"), piece(": what the daemon does, now")],
    [],
    ...KEYS.flatMap(({ shown }) => (shown === undefined ? [] : [key(...shown)])),
    [],
    ...COLUMN_HELP.map(([name, means]) => key(name, means, "dim")),
  ];
}

const COLUMN_HELP: readonly (readonly [string, string])[] = [
  ["UP", "age of the process"],
  ["BUSY", "requests in flight"],
  ["CONN", "connections; ! it accepts no more: all are in use"],
  ["ELU", "how busy its event loop is"],
  ["DELAY", "99 of 100 events wait less; > it is silent for so long"],
  ["DIED", "how often it ended unasked since the daemon started"],
];
