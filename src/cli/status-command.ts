/** `drover status`: once, or again and again with `--watch`. */
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { seconds, type Ms } from "../base/units.ts";
import type { Settings } from "../settings/table.ts";
import { askStatus } from "./client.ts";
import { readClientOptions } from "./options.ts";
import { renderStatus } from "./status.ts";
import type { Status } from "./snapshot.ts";
import { readInterval } from "./terminal/interval.ts";
import { jsonText, printable } from "./terminal/printable.ts";

const USUAL = seconds(2);
/** Of one question among many. */
const PATIENCE = seconds(2);

export async function status(argv: readonly string[]): Promise<number> {
  const { resolved, own, positional } = readClientOptions(argv, [{ name: "json" }, { name: "watch", takes: "figure" }]);
  if (positional.length > 0) throw new DroverError("DROVER_E_USAGE", `drover status takes no ${positional[0]}: drover status --help`);
  const json = own.has("json");
  if (own.has("watch")) return await watch(resolved.settings, json, readInterval("--watch", own.get("watch"), USUAL));
  const now = await askStatus(resolved.settings);
  process.stdout.write(json ? `${jsonText(now, 2)}\n` : renderStatus(now));
  return EXIT.done.code;
}

/**
 * Until a signal comes or nobody reads any more: 0 either way. A daemon that is away is said and asked for again; programs that
 * read JSON get an object with `away` instead.
 */
async function watch(settings: Settings, json: boolean, every: Ms): Promise<number> {
  const { stdout } = process;
  const ended = Promise.withResolvers<"ended">();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => ended.resolve("ended"));
  stdout.once("error", () => ended.resolve("ended")); // `| head`
  const clears = stdout.isTTY && !json && stdout.getColorDepth({ TERM: process.env["TERM"] ?? "dumb" }) > 1;
  let first = true;
  for (;;) {
    const [now, why] = await asked(settings, ended.promise);
    if (now === "ended") return EXIT.done.code;
    const text = json ? `${jsonText(now ?? { away: why })}\n` : now === undefined ? away(why) : renderStatus(now);
    stdout.write(`${json ? "" : clears ? "\u001b[H\u001b[2J\u001b[3J" : first ? "" : "\n"}${text}`);
    first = false;
    if ((await Promise.race([pause(every), ended.promise])) === "ended") return EXIT.done.code;
  }
}

/** What the daemon answers, or why it does not. */
async function asked(settings: Settings, ended: Promise<"ended">): Promise<[Status | "ended" | undefined, string]> {
  try {
    return [await Promise.race([askStatus(settings, PATIENCE), ended]), ""];
  } catch (error) {
    if (error instanceof DroverError && error.code === "DROVER_E_NO_DAEMON") return [undefined, printable(error.message)];
    throw error;
  }
}

const away = (why: string): string => `${new Date().toISOString()}  ${why}; asking again\n`;
const pause = (wait: Ms): Promise<void> => new Promise((resolve) => setTimeout(resolve, wait));
