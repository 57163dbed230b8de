/** All that `drover top` decides: what a key, an answer or a new status makes of the model, and what is then to be done. */
import { impossible } from "../../base/never.ts";
import type { ControlAnswer } from "../../master/shell/control.ts";
import { printableLines } from "../terminal/printable.ts";
import type { Status } from "../snapshot.ts";
import { columnsFor } from "./columns.ts";
import { actionOf, type Action, type Key } from "./keys.ts";
import { layoutOf } from "./layout.ts";
import { say, workersOf, type Mode, type Model, type Order, type Size } from "./model.ts";
import { ratesOf } from "./rates.ts";

export type Event =
  | { readonly type: "status"; readonly status: Status }
  | { readonly type: "away"; readonly why: string }
  | { readonly type: "resize"; readonly size: Size }
  | { readonly type: "key"; readonly key: Key }
  | { readonly type: "answer"; readonly order: Order; readonly answer: ControlAnswer };

/** What the shell is to do. */
export type Wish =
  | { readonly do: "quit" }
  | { readonly do: "suspend" }
  | { readonly do: "ask" }
  | { readonly do: "order"; readonly order: Order };

type Step = readonly [Model, readonly Wish[]];
const stay = (model: Model): Step => [model, []];

export function update(model: Model, event: Event): Step {
  switch (event.type) {
    case "status":
      return stay(afterStatus(model, event.status));
    case "away":
      return stay({ ...model, away: event.why });
    case "resize":
      return stay({ ...model, size: event.size });
    case "answer":
      return [afterAnswer(model, event.order, event.answer), [{ do: "ask" }]];
    case "key":
      return pressed({ ...model, message: undefined }, event.key);
    default:
      return impossible(event);
  }
}

/** Another pid: another daemon, which knows nothing of the reload that was asked for. */
function afterStatus(model: Model, status: Status): Model {
  const same = model.status === undefined || model.status.pid === status.pid;
  const next: Model = { ...model, status, rates: ratesOf(model.rates, status), away: undefined, awaits: same ? model.awaits : undefined };
  if (!same) return say(next, "warn", `another daemon answers: pid ${status.pid}`);
  const end = status.lastRoll;
  if (next.awaits === undefined || end === null || end.generation < next.awaits) return next;
  const ended = { ...next, awaits: undefined };
  if (end.is === "done") return say(ended, "good", `generation ${end.generation} serves (${(end.took / 1_000).toFixed(1)} s)`);
  return say(ended, "bad", `the reload was rolled back, the old generation serves: ${end.why}`);
}

function afterAnswer(model: Model, order: Order, answer: ControlAnswer): Model {
  if (!answer.ok) return say(model, "bad", `${order.verb} refused: ${answer.message}`);
  switch (order.verb) {
    case "stack": {
      const lines = printableLines(answer.message).split("\n");
      return { ...model, message: undefined, mode: { is: "text", title: `what worker ${order.slot} does`, lines, scroll: 0 } };
    }
    case "reload":
      return say({ ...model, awaits: answer.generation }, "good", answer.message);
    case "scale":
    case "recycle":
      return say(model, "good", answer.message);
    default:
      return impossible(order);
  }
}

function pressed(model: Model, key: Key): Step {
  if (key.ctrl && key.name === "c") return [model, [{ do: "quit" }]];
  if (key.ctrl && key.name === "z") return [model, [{ do: "suspend" }]];
  const { mode } = model;
  switch (mode.is) {
    case "table":
      return act(model, actionOf(key));
    case "help":
      return stay(table(model));
    case "text":
      return stay(readText(model, mode, actionOf(key)));
    case "confirm":
      if (key.name === "y" || key.name === "Y") return send(model, mode.order);
      return stay(say(table(model), "dim", "nothing was done"));
    case "slot":
      return typed(model, mode, key);
    default:
      return impossible(mode);
  }
}

const table = (model: Model): Model => ({ ...model, mode: { is: "table" } });
/** A number of workers counts at once: who presses + three times wants three more. */
function send(model: Model, order: Order): Step {
  const { status } = model;
  const told = order.verb === "scale" && status !== undefined ? { ...status, workers: { ...status.workers, target: order.to } } : status;
  return [say({ ...table(model), status: told }, "dim", `${order.verb} …`), [{ do: "order", order }]];
}
const ask = (model: Model, question: string, order: Order): Step => stay({ ...model, mode: { is: "confirm", question, order } });

function act(model: Model, action: Action | undefined): Step {
  switch (action) {
    case undefined:
      return stay(model);
    case "quit":
    case "suspend":
      return [model, [{ do: action }]];
    case "now":
      return [model, [{ do: "ask" }]];
    case "help":
      return stay({ ...model, mode: { is: "help" } });
    case "reload":
    case "grow":
    case "shrink":
    case "recycle":
    case "stack":
      return model.status === undefined ? stay(say(model, "bad", "no daemon answers yet")) : order(model, model.status, action);
    case "previous column":
      return stay(sorted(model, -1));
    case "next column":
      return stay(sorted(model, 1));
    case "turn":
      return stay({ ...model, sort: { ...model.sort, down: !model.sort.down } });
    default:
      return stay(scrolled(model, action));
  }
}

function order(model: Model, status: Status, action: "reload" | "grow" | "shrink" | "recycle" | "stack"): Step {
  const { target } = status.workers;
  switch (action) {
    case "reload":
      return ask(model, "start a new generation, one worker at a time?", { verb: "reload" });
    case "grow":
      return send(model, { verb: "scale", to: target + 1 });
    case "shrink":
      if (target <= 1) return stay(say(model, "bad", "there is one worker: a service needs one"));
      return ask(model, `${target - 1} worker${target === 2 ? "" : "s"} instead of ${target}?`, { verb: "scale", to: target - 1 });
    case "recycle":
    case "stack":
      return stay({ ...model, mode: { is: "slot", of: action, typed: "" } });
    default:
      return impossible(action);
  }
}

/** Longer than any slot number: 256 workers at most. */
const MOST_DIGITS = 4;

function typed(model: Model, mode: Extract<Mode, { is: "slot" }>, { name }: Key): Step {
  const { typed: digits, of } = mode;
  if (/^\d$/.test(name)) return stay({ ...model, mode: { ...mode, typed: (digits + name).slice(0, MOST_DIGITS) } });
  if (name === "backspace") return stay({ ...model, mode: { ...mode, typed: digits.slice(0, -1) } });
  if (name === "escape" || name === "q") return stay(say(table(model), "dim", "nothing was done"));
  if (name === "a" && of === "recycle") return ask(model, "replace all workers, one by one?", { verb: "recycle", slot: undefined });
  if (name !== "return" && name !== "enter") return stay(model);
  const slot = Number(digits);
  if (digits === "" || !workersOf(model.status).includes(slot))
    return stay(say(model, "bad", digits === "" ? "type a slot's number" : `there is no worker ${slot}`));
  return of === "stack"
    ? send(model, { verb: "stack", slot })
    : ask(model, `replace worker ${slot}, new before old?`, { verb: "recycle", slot });
}

function readText(model: Model, mode: Extract<Mode, { is: "text" }>, action: Action | undefined): Model {
  if (action === "quit" || action === undefined) return action === "quit" ? table(model) : model;
  const page = Math.max(1, model.size.rows - 2);
  const most = Math.max(0, mode.lines.length - page);
  return { ...model, mode: { ...mode, scroll: moved(mode.scroll, action, { page, most }) } };
}

const scrolled = (model: Model, action: Action): Model => {
  const { rows, body, scroll } = layoutOf(model);
  return { ...model, scroll: moved(scroll, action, { page: Math.max(1, body), most: Math.max(0, rows.length - body) }) };
};

function moved(from: number, action: Action, { page, most }: { readonly page: number; readonly most: number }): number {
  const by: Partial<Record<Action, number>> = { up: -1, down: 1, "page up": -page, "page down": page, first: -Infinity, last: Infinity };
  return Math.max(0, Math.min(most, from + (by[action] ?? 0)));
}

/** The column beside the present one among those that are shown. Figures begin with the largest. */
function sorted(model: Model, step: 1 | -1): Model {
  const columns = columnsFor(model.size.columns);
  const now = columns.findIndex(({ name }) => name === model.sort.by);
  const column = columns[(Math.max(0, now) + step + columns.length) % columns.length];
  if (column === undefined) return model;
  return { ...model, scroll: 0, sort: { by: column.name, down: column.align === "right" || column.name === "death" } };
}
