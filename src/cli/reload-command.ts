/** `drover reload`: orders a roll, shows how far it is, and waits for its end. */
import { setTimeout as sleep } from "node:timers/promises";
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { Settings } from "../settings/table.ts";
import { askStatus, order } from "./client.ts";
import { readClientOptions } from "./options.ts";
import type { Status } from "./snapshot.ts";
import { printableLines } from "./terminal/printable.ts";

const POLL = 100;
const out = (text: string): void => void process.stdout.write(text);

/** Exit 1 when the reload is refused or rolled back, with the reason: the old generation serves on. */
export async function reload(argv: readonly string[]): Promise<number> {
  const { settings } = readClientOptions(argv).resolved;
  const answer = await order(settings, "reload");
  if (!answer.ok) {
    process.stderr.write(`drover: reload refused, nothing has changed: ${answer.message}\n`);
    return EXIT.rolledBack.code;
  }
  out(`${answer.message}\n`);
  const progress = createProgress(out, process.stdout.isTTY);
  const end = await ended(settings, answer.generation ?? 0, (roll) => progress.show(roll));
  progress.end(end?.is === "done");
  if (end?.is === "done") {
    out(`generation ${end.generation} serves (${(end.took / 1_000).toFixed(1)} s)\n`);
    return EXIT.done.code;
  }
  const why = end === undefined ? "the daemon that was to do it no longer answers" : end.why;
  process.stderr.write(`drover: the reload was rolled back, the old generation serves: ${printableLines(why)}\n`);
  return EXIT.rolledBack.code;
}

/** @returns how the roll of `generation`, or of a later one, ended; undefined when the daemon ended before. */
async function ended(
  settings: Settings,
  generation: number,
  show: (roll: Shown) => void,
): Promise<NonNullable<Status["lastRoll"]> | undefined> {
  for (;;) {
    const now = await statusOf(settings);
    if (now === undefined) return undefined;
    if (now.lastRoll !== null && now.lastRoll.generation >= generation) return now.lastRoll;
    if (now.roll === null) return undefined; // another daemon answers there by now
    show(now.roll);
    await sleep(POLL);
  }
}

async function statusOf(settings: Settings): Promise<Status | undefined> {
  try {
    return await askStatus(settings);
  } catch (error) {
    if (error instanceof DroverError && error.code === "DROVER_E_NO_DAEMON") return undefined;
    throw error;
  }
}

export type Shown = Pick<NonNullable<Status["roll"]>, "generation" | "left" | "total" | "step">;

/** A bar that is drawn over itself on a terminal; elsewhere a line whenever something has changed. */
export function createProgress(write: (text: string) => void, terminal: boolean): { show(roll: Shown): void; end(done: boolean): void } {
  let last = "";
  let shown: Shown | undefined;
  const show = (roll: Shown): void => {
    shown = roll;
    const line = progressLine(roll, terminal);
    if (line === last) return;
    write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
    last = line;
  };
  return {
    show,
    end(done) {
      if (done && shown !== undefined) show({ ...shown, left: [], step: "rolls" });
      if (terminal && last !== "") write("\n");
    },
  };
}

const WIDTH = 24;

/** "[######..................] 2/8 generation 4", or without its bar. */
export function progressLine({ generation, left, total, step }: Shown, bar: boolean): string {
  const done = Math.max(0, total - left.length);
  const filled = total === 0 ? WIDTH : Math.round((done / total) * WIDTH);
  const drawn = `[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] `;
  return `${bar ? drawn : ""}${done}/${total} generation ${generation}${step === "rolls" ? "" : ` ${step}`}`;
}
