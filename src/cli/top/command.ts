/** `drover top`: asks the daemon again and again, draws the answer, and passes on what is typed. */
import { DroverError, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { impossible } from "../../base/never.ts";
import { seconds, type Ms } from "../../base/units.ts";
import type { ControlAnswer } from "../../master/shell/control.ts";
import type { Settings } from "../../settings/table.ts";
import { askStatus, order as post } from "../client.ts";
import { readClientOptions } from "../options.ts";
import { readable } from "../status.ts";
import { readInterval } from "../terminal/interval.ts";
import { paint } from "../terminal/line.ts";
import { openScreen, type Screen } from "../terminal/screen.ts";
import { printable } from "../terminal/printable.ts";
import { firstModel, type Model, type Order } from "./model.ts";
import { render } from "./render.ts";
import { update, type Event, type Wish } from "./update.ts";

const USUAL = seconds(1);
/** After it an old picture says that it is one; the next question may be answered. */
const PATIENCE = seconds(2);

export async function top(argv: readonly string[]): Promise<number> {
  const { resolved, own, positional } = readClientOptions(argv, [{ name: "interval", takes: "value" }]);
  const every = readInterval("--interval", own.get("interval"), USUAL);
  if (positional.length > 0) throw new DroverError("DROVER_E_USAGE", `drover top takes no ${positional[0]}: drover top --help`);
  needTerminal();
  await askStatus(resolved.settings); // no daemon at all: say so and leave, before the screen is taken
  await new Promise<void>((end, fail) => run({ settings: resolved.settings, every, end, fail }));
  return EXIT.done.code;
}

function needTerminal(): void {
  const term = process.env["TERM"] ?? "";
  const why = !process.stdin.isTTY || !process.stdout.isTTY ? "a terminal" : term === "" || term === "dumb" ? `a terminal that can be drawn on (TERM is ${term || "not set"})` : undefined; // prettier-ignore
  if (why !== undefined) throw new DroverError("DROVER_E_USAGE", `drover top needs ${why}: use drover status --watch`);
}

interface Run {
  readonly settings: Settings;
  readonly every: Ms;
  end(): void;
  fail(error: unknown): void;
}

function run({ settings, every, end, fail }: Run): void {
  let model: Model = firstModel({ columns: 80, rows: 24 });
  let screen: Screen | undefined;
  let asking = false;
  let over = false;
  const colours = process.stdout.hasColors();

  const finish = (error?: unknown): void => {
    if (over) return;
    over = true;
    clearInterval(timer);
    process.removeListener("uncaughtException", finish);
    screen?.leave();
    if (error === undefined) end();
    else fail(error);
  };
  /** What goes wrong in here must not leave a raw terminal behind, nor be told on a screen that is about to vanish. */
  const guarded = (run: () => void): void => {
    try {
      if (!over) run();
    } catch (error) {
      finish(error);
    }
  };
  const feed = (event: Event): void =>
    guarded(() => {
      const [next, wishes] = update(model, event);
      model = next;
      screen?.draw(render(model).map((line) => paint(line, colours)));
      for (const wish of wishes) grant(wish);
    });
  const grant = (wish: Wish): void => {
    switch (wish.do) {
      case "quit":
        return finish();
      case "suspend":
        return screen?.suspend();
      case "ask":
        return ask();
      case "order":
        return void give(settings, wish.order).then((answer) => feed({ type: "answer", order: wish.order, answer }), finish);
      default:
        return impossible(wish);
    }
  };
  const ask = (): void => {
    if (asking) return;
    asking = true;
    askStatus(settings, PATIENCE)
      .then(
        (status) => feed({ type: "status", status: readable(status) }),
        (error: unknown) => (isAway(error) ? feed({ type: "away", why: printable(messageOf(error)) }) : finish(error)),
      )
      .finally(() => (asking = false));
  };
  const resized = (): void => {
    if (screen !== undefined) feed({ type: "resize", size: screen.size() });
  };

  const timer = setInterval(ask, every);
  process.on("uncaughtException", finish);
  guarded(() => {
    screen = openScreen(process.stdin, process.stdout, { key: (key) => feed({ type: "key", key }), redraw: resized, end: () => finish() });
    resized();
    ask();
  });
}

const isAway = (error: unknown): boolean => error instanceof DroverError && error.code === "DROVER_E_NO_DAEMON";

/** Posts an order; a daemon that is away is an answer too. */
async function give(settings: Settings, { verb, ...body }: Order): Promise<ControlAnswer> {
  try {
    return await post(settings, verb, body);
  } catch (error) {
    if (isAway(error)) return { ok: false, message: messageOf(error) };
    throw error;
  }
}
