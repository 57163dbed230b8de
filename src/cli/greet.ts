/** What a daemon prints when it starts, and when it is ready. */
import type { LogSink } from "../base/log.ts";
import type { Listener } from "../master/shell/listeners.ts";
import { sourceText } from "../settings/source.ts";
import type { Administration } from "./administration.ts";
import type { Generations } from "./generations.ts";
import { greeting } from "./greeting.ts";
import type { Options } from "./options.ts";
import { version } from "./version.ts";

/** "8 workers (CPU × 4)": how many, and what decided it. */
function workersLine({ resolved }: Options): string {
  const { settings, sources } = resolved;
  const source = sources.workers.from === "default" ? sources.workers.why : sourceText(sources.workers);
  return `${settings.workers} worker${settings.workers === 1 ? "" : "s"} (${source})`;
}

/** Logs the start, and prints it with the warnings of the settings. */
export function sayStart(options: Options, { log }: LogSink, listeners: readonly Listener[]): void {
  const { resolved } = options;
  const where = listeners.map(({ url, address }) => (url.endsWith(`//${address.name}`) ? url : `${url} (${address.name})`)).join(", ");
  const text = `drover ${version()} starts: ${workersLine(options)}, listening on ${where}`;
  log.info(
    { version: version(), node: process.versions.node, env_file: resolved.envFile ?? null, bind: listeners.map((l) => l.address.name) },
    text,
  );
  process.stderr.write(`${text}\n`);
  for (const warning of resolved.warnings) {
    log.warn(warning);
    process.stderr.write(`drover: ${warning}\n`);
  }
}

/** Prints the greeting. */
export function greet(options: Options, generations: Generations, listeners: readonly Listener[], administration: Administration): void {
  const { log_file: target } = options.resolved.settings;
  const text = greeting(
    {
      urls: listeners.map((l) => l.url),
      bound: listeners.map((l) => l.address.name),
      plan: generations.plan(1),
      logFile: "file" in target ? target.file : "-",
      workers: workersLine(options),
      fromNpm: options.own.has("from-npm-start"),
      dashboard: process.stdout.isTTY ? administration.link() : undefined,
    },
    process.stdout.isTTY,
  );
  process.stdout.write(text);
}
