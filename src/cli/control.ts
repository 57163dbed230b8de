/** The commands that order a running daemon about: scale, recycle, stack, reopen, stop. */
import { setTimeout as sleep } from "node:timers/promises";
import { DroverError } from "../base/errors.ts";
import { seconds } from "../base/units.ts";
import { EXIT } from "../base/exit.ts";
import { askStatus, command } from "./client.ts";
import { readClientOptions } from "./options.ts";

/** On a busy machine an examination takes a while. */
const EXAMINED_WITHIN = seconds(12);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const POLL = 100;

export async function scale(argv: readonly string[]): Promise<number> {
  const { resolved, positional } = readClientOptions(argv);
  const [to] = positional;
  if (to === undefined || !/^\d+$/.test(to))
    throw new DroverError("DROVER_E_USAGE", `usage: drover scale N, with N the number of workers (not ${to ?? "nothing"})`);
  say(await command(resolved.settings, "scale", { to: Number(to) }));
  return EXIT.done.code;
}

export async function recycle(argv: readonly string[]): Promise<number> {
  const { resolved, positional } = readClientOptions(argv);
  const [slot] = positional;
  if (slot !== undefined && !/^\d+$/.test(slot))
    throw new DroverError("DROVER_E_USAGE", `usage: drover recycle [SLOT], with SLOT a worker's number (not ${slot})`);
  say(await command(resolved.settings, "recycle", slot === undefined ? {} : { slot: Number(slot) }));
  return EXIT.done.code;
}

/** Prints what a worker does now. It goes on meanwhile. */
export async function stack(argv: readonly string[]): Promise<number> {
  const { resolved, positional } = readClientOptions(argv);
  const [slot] = positional;
  if (slot === undefined || !/^\d+$/.test(slot))
    throw new DroverError("DROVER_E_USAGE", `usage: drover stack SLOT, with SLOT a worker's number (not ${slot ?? "nothing"})`);
  say(await command(resolved.settings, "stack", { slot: Number(slot) }, EXAMINED_WITHIN));
  return EXIT.done.code;
}

const SLOTS_USAGE = "usage: drover slots [--zombies | reap | end USER-OR-SESSION | reset-day | schedule [hold | resume | max N]]";

/** Lists sessions, reaps expired ones, ends some; shows and changes the launch schedule. */
export async function slots(argv: readonly string[]): Promise<number> {
  const { resolved, positional, own } = readClientOptions(argv, [{ name: "zombies" }]);
  const [verb = "list", who, more] = positional;
  if (verb === "schedule" && !own.has("zombies")) {
    say(await command(resolved.settings, "slots", scheduleBody(positional.slice(1))));
    return EXIT.done.code;
  }
  const zombies = own.has("zombies");
  const sound =
    more === undefined &&
    (!zombies || verb === "list") &&
    (verb === "end") === (who !== undefined) &&
    ["list", "reap", "end", "reset-day"].includes(verb);
  if (!sound) throw new DroverError("DROVER_E_USAGE", `${SLOTS_USAGE} (not ${positional.join(" ")})`);
  const what = zombies ? { do: verb, zombies } : who === undefined ? { do: verb } : { do: verb, who };
  say(await command(resolved.settings, "slots", what));
  return EXIT.done.code;
}

/** @throws DroverError when the words are no order. */
function scheduleBody([order = "show", max, ...more]: readonly string[]): Readonly<Record<string, unknown>> {
  const takesMax = order === "max";
  const sound = ["show", "hold", "resume", "max"].includes(order) && more.length === 0 && takesMax === (max !== undefined);
  if (!sound || (max !== undefined && !/^[1-9]\d{0,5}$/.test(max)))
    throw new DroverError(
      "DROVER_E_USAGE",
      `usage: drover slots schedule [hold | resume | max N] (not ${[order, max, ...more].join(" ").trim()})`,
    );
  return { do: "schedule", order, ...(max === undefined ? {} : { max: Number(max) }) };
}

export async function reopen(argv: readonly string[]): Promise<number> {
  say(await command(readClientOptions(argv).resolved.settings, "reopen"));
  return EXIT.done.code;
}

/** Waits until the daemon is gone. */
export async function stop(argv: readonly string[]): Promise<number> {
  const { resolved, own } = readClientOptions(argv, [{ name: "now" }]);
  const { settings } = resolved;
  const { pid } = await askStatus(settings);
  say(`${await command(settings, "stop", { now: own.has("now") })} (pid ${pid})`);
  for (;;) {
    try {
      const now = await askStatus(settings);
      if (now.pid !== pid) break; // another daemon has taken its place already
    } catch (error) {
      if (error instanceof DroverError && error.code === "DROVER_E_NO_DAEMON") break;
      throw error;
    }
    await sleep(POLL);
  }
  say("stopped");
  return EXIT.done.code;
}
